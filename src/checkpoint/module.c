/* SPDX-License-Identifier: MIT */
/* What a whole module or a TorchScript archive says of a layer beside its weights. */
#include "checkpoint/module.h"

size_t vgg_checkpoint_get_module_count(const struct vgg_checkpoint *checkpoint)
{
    return checkpoint->dict.location.modules.count;
}

void vgg_checkpoint_get_module(const struct vgg_checkpoint *checkpoint, size_t index,
                               struct vgg_module *out)
{
    const struct vgg_named *named = &checkpoint->dict.location.modules.items[index];
    const struct vgg_script *script = &checkpoint->script;
    const struct vgg_value *settings = script->settings != NULL ? script->settings[index] : NULL;
    *out = (struct vgg_module){
        .name = named->name,
        .type = checkpoint->module_types[index],
        .python_module = named->value->object.callee->global.module,
        .state = settings != NULL ? settings : named->value->object.state,
    };
}

const struct vgg_script *vgg_checkpoint_get_script(const struct vgg_checkpoint *checkpoint)
{
    return &checkpoint->script;
}

void vgg_checkpoint_get_step(const struct vgg_checkpoint *checkpoint, size_t index,
                             struct vgg_module *out)
{
    const struct vgg_script_step *step = &checkpoint->script.steps[index];
    *out = (struct vgg_module){.name = step->name, .type = step->type, .state = step->state};
}

bool vgg_checkpoint_is_used(const struct vgg_checkpoint *checkpoint, const char *name)
{
    const struct vgg_script *script = &checkpoint->script;
    const char *dot = strrchr(name, '.');
    const size_t length = dot != NULL ? (size_t)(dot - name) : 0;
    bool used = script->outcome != VGG_SCRIPT_FOLLOWED;
    for (size_t i = 0; i < script->step_count && !used; i++) {
        const char *step = script->steps[i].name;
        used = step != NULL && strncmp(step, name, length) == 0 && step[length] == '\0';
    }
    return used;
}

static enum vgg_setting read_int(const struct vgg_value *value, int64_t *out)
{
    if (value->kind == VGG_VALUE_BOOL) {
        *out = value->boolean;
        return VGG_SETTING_FOUND;
    }
    if (value->kind != VGG_VALUE_INT) {
        return VGG_SETTING_OTHER;
    }
    *out = value->integer;
    return VGG_SETTING_FOUND;
}

static const struct vgg_value *get(const struct vgg_module *module, const char *key)
{
    const struct vgg_value *value = vgg_value_get(module->state, key);
    return value != NULL && value->kind != VGG_VALUE_NONE ? value : NULL;
}

enum vgg_setting vgg_module_get_int(const struct vgg_module *module, const char *key, int64_t *out)
{
    const struct vgg_value *value = get(module, key);
    return value != NULL ? read_int(value, out) : VGG_SETTING_ABSENT;
}

enum vgg_setting vgg_module_get_ints(const struct vgg_module *module, const char *key, size_t count,
                                     int64_t *out)
{
    const struct vgg_value *value = get(module, key);
    if (value == NULL) {
        return VGG_SETTING_ABSENT;
    }
    const bool list = value->kind == VGG_VALUE_TUPLE || value->kind == VGG_VALUE_LIST;
    const bool one = !list || value->list.count == 1;
    if (list && value->list.count != count && !one) {
        return VGG_SETTING_OTHER;
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_value *item = list ? value->list.items[one ? 0 : i] : value;
        out[i] = 0;
        if (item->kind != VGG_VALUE_NONE && read_int(item, &out[i]) != VGG_SETTING_FOUND) {
            return VGG_SETTING_OTHER;
        }
    }
    return VGG_SETTING_FOUND;
}

enum vgg_setting vgg_module_get_real(const struct vgg_module *module, const char *key, double *out)
{
    const struct vgg_value *value = get(module, key);
    if (value == NULL) {
        return VGG_SETTING_ABSENT;
    }
    if (value->kind == VGG_VALUE_INT) {
        *out = (double)value->integer;
    } else if (value->kind == VGG_VALUE_FLOAT) {
        *out = value->real;
    } else {
        return VGG_SETTING_OTHER;
    }
    return VGG_SETTING_FOUND;
}

bool vgg_module_is(const struct vgg_module *module, const char *key, const char *text)
{
    const struct vgg_value *value = get(module, key);
    return value != NULL && value->kind == VGG_VALUE_TEXT && vgg_span_equals(value->text, text);
}
