/* SPDX-License-Identifier: MIT */
/* The attributes of layers in a whole module or a TorchScript archive. */
#include "checkpoint/module.h"

#include <math.h>

size_t vgg_checkpoint_get_module_count(const struct vgg_checkpoint *checkpoint)
{
    return checkpoint->dict.location.modules.count;
}

/* The value of 3 or (3, 3). */
static int64_t get_side(const struct vgg_value *state, const char *key)
{
    const struct vgg_value *value = vgg_value_get(state, key);
    if (value == NULL) {
        return VGG_MODULE_UNKNOWN;
    }
    if (value->kind == VGG_VALUE_BOOL) {
        return value->boolean;
    }
    if (value->kind == VGG_VALUE_INT) {
        return value->integer >= 0 ? value->integer : VGG_MODULE_UNUSUAL;
    }
    if ((value->kind != VGG_VALUE_TUPLE && value->kind != VGG_VALUE_LIST) ||
        value->list.count == 0) {
        return VGG_MODULE_UNUSUAL;
    }
    int64_t side = VGG_MODULE_UNUSUAL;
    for (size_t i = 0; i < value->list.count; i++) {
        const struct vgg_value *item = value->list.items[i];
        if (item->kind != VGG_VALUE_INT || item->integer < 0 || (i > 0 && item->integer != side)) {
            return VGG_MODULE_UNUSUAL;
        }
        side = item->integer;
    }
    return side;
}

void vgg_checkpoint_get_module(const struct vgg_checkpoint *checkpoint, size_t index,
                               struct vgg_module *out)
{
    const struct vgg_named *named = &checkpoint->dict.location.modules.items[index];
    const struct vgg_value *state = named->value->object.state;
    const struct vgg_value *eps = vgg_value_get(state, "eps");
    *out = (struct vgg_module){
        .name = named->name,
        .type = checkpoint->module_types[index],
        .kernel = get_side(state, "kernel_size"),
        .stride = get_side(state, "stride"),
        .padding = get_side(state, "padding"),
        .dilation = get_side(state, "dilation"),
        .groups = get_side(state, "groups"),
        .output = get_side(state, "output_size"),
        .ceil_mode = get_side(state, "ceil_mode"),
        .eps = eps != NULL && eps->kind == VGG_VALUE_FLOAT ? eps->real : (double)NAN,
    };
}
