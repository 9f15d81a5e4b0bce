/* SPDX-License-Identifier: MIT */
/* The settings and parameters of a call as those of a module. */
#include "checkpoint/script/state.h"

#include <stdio.h>

#include "checkpoint/locate/rebuild.h"

/* ---- settings ---- */

/* A constant that is no list; false: it is none. Texts are copied, because the code is freed. */
static bool make_scalar(struct vgg_recorder *recorder, const struct vgg_term *term,
                        struct vgg_value *out)
{
    *out = (struct vgg_value){.kind = VGG_VALUE_NONE};
    switch (term->kind) {
    case VGG_TERM_NONE:
        return true;
    case VGG_TERM_BOOL:
        out->kind = VGG_VALUE_BOOL;
        out->boolean = term->boolean;
        return true;
    case VGG_TERM_INT:
        out->kind = VGG_VALUE_INT;
        out->integer = term->integer;
        return true;
    case VGG_TERM_REAL:
        out->kind = VGG_VALUE_FLOAT;
        out->real = term->real;
        return true;
    case VGG_TERM_TEXT:
        out->kind = VGG_VALUE_TEXT;
        out->text = (struct vgg_span){
            vgg_arena_copy_string(recorder->arena, term->text.bytes, term->text.length),
            term->text.length};
        return out->text.bytes != NULL || vgg_recorder_stop_memory(recorder);
    default:
        return false;
    }
}

/* A constant, or a list of them. */
static bool make_value(struct vgg_recorder *recorder, const struct vgg_term *term,
                       struct vgg_value *out)
{
    enum { ITEMS_MAX = 16 };
    if (term->kind != VGG_TERM_LIST) {
        return make_scalar(recorder, term, out);
    }
    const size_t count = term->list.count;
    if (count > ITEMS_MAX) {
        return false;
    }
    struct vgg_value *items = vgg_arena_alloc(recorder->arena, count + 1, sizeof *items);
    struct vgg_value **pointers = vgg_arena_alloc(recorder->arena, count + 1, sizeof *pointers);
    if (items == NULL || pointers == NULL) {
        return vgg_recorder_stop_memory(recorder);
    }
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &items[i];
        if (!make_scalar(recorder, &term->list.items[i], &items[i])) {
            return false;
        }
    }
    *out = (struct vgg_value){.kind = VGG_VALUE_LIST, .list = {pointers, count, count}};
    return true;
}

bool vgg_state_make(struct vgg_recorder *recorder, struct vgg_span operation,
                    const struct vgg_setting_term *settings, size_t count,
                    const struct vgg_value **out)
{
    struct vgg_value *values = vgg_arena_alloc(recorder->arena, 1 + 2 * count, sizeof *values);
    struct vgg_value **items = vgg_arena_alloc(recorder->arena, 2 * count + 1, sizeof *items);
    if (values == NULL || items == NULL) {
        return vgg_recorder_stop_memory(recorder);
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_span key = settings[i].key;
        items[2 * i] = &values[1 + 2 * i];
        items[2 * i + 1] = &values[2 + 2 * i];
        *items[2 * i] = (struct vgg_value){.kind = VGG_VALUE_TEXT, .text = key};
        if (!make_value(recorder, &settings[i].term, items[2 * i + 1])) {
            return vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN, "%.*s: %.*s is computed",
                                     VGG_SHOWN(operation.bytes, operation.length, 64),
                                     VGG_SHOWN(key.bytes, key.length, 64));
        }
    }
    values[0] = (struct vgg_value){.kind = VGG_VALUE_DICT, .list = {items, 2 * count, 2 * count}};
    *out = &values[0];
    return true;
}

/* ---- parameters ---- */

static const char *const tensor_keys[] = {"weight", "bias", "running_mean", "running_var"};
enum { TENSOR_KEYS = sizeof tensor_keys / sizeof tensor_keys[0] };

static const struct vgg_term *find(const struct vgg_setting_term *settings, size_t count,
                                   const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (vgg_span_equals(settings[i].key, key)) {
            return &settings[i].term;
        }
    }
    return NULL;
}

static bool stop_owner(struct vgg_recorder *recorder, const char *key, const char *reason)
{
    return vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN, "%s of a layer %s", key, reason);
}

/* Stops at a weight that is another parameter than its module's of that name. Weights are found by the names of modules. */
static bool stop_parameter(struct vgg_recorder *recorder, const struct vgg_value *module,
                           const char *key, const struct vgg_term *term)
{
    if (term->kind != VGG_TERM_TENSOR || term->tensor.module == NULL) {
        return stop_owner(recorder, key, "is not its module's");
    }
    const char *layer = vgg_recorder_find_name(recorder, module);
    const char *owner = vgg_recorder_find_name(recorder, term->tensor.module);
    const bool dotted = owner != NULL && owner[0] != '\0';
    const struct vgg_span parameter = term->tensor.key;
    return vgg_recorder_stop(
        recorder, VGG_SCRIPT_REFUSED,
        "the %s of %.*s is %.*s%s%.*s, and not a parameter of a module that is one layer: "
        "torch.jit.freeze makes a file that can be read",
        key, VGG_SHOWN_TEXT(layer != NULL && layer[0] != '\0' ? layer : "a layer", 64),
        VGG_SHOWN_TEXT(dotted ? owner : "", 64), dotted ? "." : "",
        VGG_SHOWN(parameter.bytes, parameter.length, 64));
}

/* Whether a module has a tensor of this name. */
static bool has_tensor(const struct vgg_value *module, const char *key)
{
    const struct vgg_value *value = vgg_value_get(module->object.state, key);
    return value != NULL && vgg_value_is_tensor(value);
}

static bool check_module(struct vgg_recorder *recorder, const struct vgg_value *module,
                         const struct vgg_setting_term *settings, size_t count)
{
    for (size_t i = 0; i < TENSOR_KEYS; i++) {
        const struct vgg_term *term = find(settings, count, tensor_keys[i]);
        if (term == NULL) {
            continue;
        }
        const bool none = term->kind == VGG_TERM_NONE;
        const bool own = term->kind == VGG_TERM_TENSOR && term->tensor.module == module &&
                         !term->tensor.transposed &&
                         vgg_span_equals(term->tensor.key, tensor_keys[i]);
        if (none ? has_tensor(module, tensor_keys[i]) : !own) {
            return stop_parameter(recorder, module, tensor_keys[i], term);
        }
    }
    return true;
}

/* "conv3": a name that no other constants have. */
static const char *make_name(struct vgg_recorder *recorder, enum vgg_weighted_kind kind)
{
    static const char *const stems[VGG_WEIGHTED_KINDS] = {"conv", "fc", "bn", "prelu"};
    char text[40];
    const int length = snprintf(text, sizeof text, "%s%zu", stems[kind], ++recorder->numbers[kind]);
    return vgg_arena_copy_string(recorder->arena, text, (size_t)length);
}

/* Appends "conv3.weight". */
static bool add_constant(struct vgg_recorder *recorder, const char *name, const char *key,
                         const struct vgg_value *value)
{
    struct vgg_named_list *list = &recorder->constants;
    char text[64];
    const int length = snprintf(text, sizeof text, "%s.%s", name, key);
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
        struct vgg_named *items = vgg_arena_alloc(recorder->arena, capacity, sizeof *items);
        if (items == NULL) {
            return vgg_recorder_stop_memory(recorder);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->capacity = capacity;
    }
    const char *full = vgg_arena_copy_string(recorder->arena, text, (size_t)length);
    if (full == NULL) {
        return vgg_recorder_stop_memory(recorder);
    }
    list->items[list->count++] = (struct vgg_named){full, value};
    return true;
}

static bool name_constants(struct vgg_recorder *recorder, enum vgg_weighted_kind kind,
                           const struct vgg_setting_term *settings, size_t count, const char **name)
{
    *name = make_name(recorder, kind);
    if (*name == NULL) {
        return vgg_recorder_stop_memory(recorder);
    }
    for (size_t i = 0; i < TENSOR_KEYS; i++) {
        const struct vgg_term *term = find(settings, count, tensor_keys[i]);
        if (term == NULL || term->kind == VGG_TERM_NONE) {
            continue;
        }
        if (term->kind != VGG_TERM_TENSOR || term->tensor.module != NULL ||
            term->tensor.transposed) {
            return stop_owner(recorder, tensor_keys[i], "is no constant");
        }
        if (!add_constant(recorder, *name, tensor_keys[i], term->tensor.value)) {
            return false;
        }
    }
    return true;
}

bool vgg_state_find_owner(struct vgg_recorder *recorder, enum vgg_weighted_kind kind,
                          const struct vgg_setting_term *settings, size_t count, const char **name)
{
    /* BatchNorm can do without weight and bias. */
    const char *key = kind == VGG_WEIGHTED_NORM ? "running_mean" : "weight";
    const struct vgg_term *first = find(settings, count, key);
    if (first->kind != VGG_TERM_TENSOR) {
        return stop_owner(recorder, key, "is no parameter");
    }
    if (first->tensor.module == NULL) {
        return name_constants(recorder, kind, settings, count, name);
    }
    *name = vgg_recorder_find_name(recorder, first->tensor.module);
    if (*name == NULL) {
        return stop_owner(recorder, key, "is not among the net's tensors");
    }
    if ((*name)[0] == '\0') {
        return stop_parameter(recorder, first->tensor.module, key, first);
    }
    return check_module(recorder, first->tensor.module, settings, count);
}
