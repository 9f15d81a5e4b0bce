/* SPDX-License-Identifier: MIT */
/* Lists the tensors of a state dict, a whole module or a TorchScript module by name. */
#include "checkpoint/locate/walk.h"

#include <inttypes.h>

#include "checkpoint/locate/tensor_names.h"
#include "checkpoint/locate/rebuild.h"

enum { DEPTH_MAX = 64 };
static const uint64_t NAME_BYTES_TOTAL = 16 << 20;

struct vgg_walk_budget vgg_walk_budget_make(const struct vgg_limits *limits)
{
    return (struct vgg_walk_budget){.steps = limits->pickle_opcodes,
                                    .name_bytes = NAME_BYTES_TOTAL};
}

static const struct vgg_value *get_dict(const struct vgg_value *dict, const char *key)
{
    const struct vgg_value *value = vgg_value_get(dict, key);
    return value != NULL && value->kind == VGG_VALUE_DICT ? value : NULL;
}

bool vgg_is_torchscript(struct vgg_span module)
{
    static const char root[] = "__torch__";
    const size_t length = sizeof root - 1;
    return module.length >= length && memcmp(module.bytes, root, length) == 0 &&
           (module.length == length || module.bytes[length] == '.');
}

/* Whether an entry of a dict is a tensor. An array of NumPy is one under the name of a layer's parameter alone: others are
 * labels, histories and statistics. */
static bool is_tensor(const struct vgg_value *key, const struct vgg_value *value)
{
    return vgg_value_is_tensor(value) ||
           (key->kind == VGG_VALUE_TEXT && vgg_value_is_array(value) &&
            vgg_name_is_parameter(key->text));
}

enum vgg_source_kind vgg_source_of(const struct vgg_value *value)
{
    if (value->kind == VGG_VALUE_DICT) {
        for (size_t i = 1; i < value->list.count; i += 2) {
            if (is_tensor(value->list.items[i - 1], value->list.items[i])) {
                return VGG_SOURCE_DICT;
            }
        }
        return VGG_SOURCE_NONE;
    }
    if (value->kind != VGG_VALUE_OBJECT || value->object.state == NULL ||
        value->object.state->kind != VGG_VALUE_DICT) {
        return VGG_SOURCE_NONE;
    }
    if (vgg_is_torchscript(value->object.callee->global.module)) {
        return VGG_SOURCE_SCRIPT;
    }
    return get_dict(value->object.state, "_modules") != NULL ||
                   get_dict(value->object.state, "_parameters") != NULL
               ? VGG_SOURCE_MODULE
               : VGG_SOURCE_NONE;
}

/* A module that is still to be visited, or the source. Its name is made when it is visited. */
struct visit {
    const struct vgg_value *module;
    const char *prefix;          /* of its parent, with the dot */
    const struct vgg_value *key; /* NULL: the source */
    int depth;
};

struct walk {
    const struct vgg_load *load;
    struct vgg_walk_budget *budget;
    struct vgg_named_list *tensors, *modules;
    struct visit *stack; /* the next one last */
    size_t count, capacity;
};

static vgg_status no_memory(const struct walk *walk)
{
    return vgg_load_fail_memory(walk->load, walk->capacity * sizeof *walk->stack,
                                "the tensors' names");
}

/* tch, PyTorch for Rust, writes "features|0|weight", since names of a C++ archive may have no dots. */
static void undo_bars(char *name, size_t length)
{
    if (memchr(name, '.', length) == NULL) {
        for (size_t i = 0; i < length; i++) {
            name[i] = name[i] == '|' ? '.' : name[i];
        }
    }
}

/* prefix + key + suffix, in the arena. */
static vgg_status make_name(struct walk *walk, const char *prefix, const struct vgg_value *key,
                            const char *suffix, const char **out)
{
    if (key->kind != VGG_VALUE_TEXT) {
        return vgg_fail(walk->load->err, VGG_ERR_FORMAT,
                        "%s: a tensor's name is %s, expected a text", walk->load->path,
                        vgg_value_kind_string(key->kind));
    }
    size_t before = strlen(prefix), after = strlen(suffix), length = before + key->text.length;
    if (!vgg_span_is_name(key->text) || length > VGG_NAME_BYTES_MAX) {
        return vgg_fail(walk->load->err, VGG_ERR_FORMAT,
                        "%s: a tensor's name is too long or not printable UTF-8: %.*s",
                        walk->load->path, VGG_SHOWN(key->text.bytes, key->text.length, 64));
    }
    if (walk->budget->name_bytes < length + after) {
        return vgg_fail(walk->load->err, VGG_ERR_LIMIT,
                        "%s: the tensors' names are longer than the limit of %" PRIu64 " bytes",
                        walk->load->path, NAME_BYTES_TOTAL);
    }
    walk->budget->name_bytes -= length + after;
    char *name = vgg_load_alloc(walk->load, length + after + 1, 1);
    if (name == NULL) {
        return no_memory(walk);
    }
    memcpy(name, prefix, before);
    memcpy(name + before, key->text.bytes, key->text.length);
    memcpy(name + length, suffix, after);
    undo_bars(name + before, key->text.length);
    *out = name;
    return VGG_OK;
}

static vgg_status add(struct walk *walk, struct vgg_named_list *list, const char *name,
                      const struct vgg_value *value)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
        struct vgg_named *items = vgg_load_alloc(walk->load, capacity, sizeof *items);
        if (items == NULL) {
            return no_memory(walk);
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct vgg_named){name, value};
    return VGG_OK;
}

/* Whether a set, in either of its encodings, has this text. */
static bool has(const struct vgg_value *set, const struct vgg_value *key)
{
    if (set != NULL && set->kind == VGG_VALUE_OBJECT && set->object.args->list.count == 1) {
        set = set->object.args->list.items[0]; /* set([…]) */
    }
    enum { ITEMS_MAX = 100 }; /* more than any module has; each is compared with each buffer */
    if (set == NULL || (set->kind != VGG_VALUE_SET && set->kind != VGG_VALUE_LIST) ||
        set->list.count > ITEMS_MAX || key->kind != VGG_VALUE_TEXT) {
        return false;
    }
    for (size_t i = 0; i < set->list.count; i++) {
        const struct vgg_value *item = set->list.items[i];
        if (item->kind == VGG_VALUE_TEXT && vgg_span_compare(item->text, key->text) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes visited items from the budget. */
static vgg_status pay(struct walk *walk, uint64_t steps)
{
    if (walk->budget->steps < steps) {
        walk->budget->steps = 0;
        return vgg_fail(walk->load->err, VGG_ERR_LIMIT,
                        "%s: more modules and attributes than the limit of %" PRIu32,
                        walk->load->path, walk->load->limits->pickle_opcodes);
    }
    walk->budget->steps -= steps;
    return VGG_OK;
}

/* Adds the tensors of a dict, without those named in a set. */
static vgg_status add_tensors(struct walk *walk, const char *prefix, const struct vgg_value *dict,
                              const struct vgg_value *except)
{
    vgg_status status = pay(walk, dict != NULL ? dict->list.count : 0);
    for (size_t i = 0; dict != NULL && i < dict->list.count && status == VGG_OK; i += 2) {
        const struct vgg_value *key = dict->list.items[i], *value = dict->list.items[i + 1];
        const char *name = NULL;
        if (!is_tensor(key, value) || has(except, key)) {
            continue;
        }
        if (walk->tensors->count >= walk->load->limits->tensors) {
            return vgg_fail(walk->load->err, VGG_ERR_LIMIT,
                            "%s: more tensors than the limit of %" PRIu32, walk->load->path,
                            walk->load->limits->tensors);
        }
        status = make_name(walk, prefix, key, "", &name);
        if (status == VGG_OK) {
            status = add(walk, walk->tensors, name, value);
        }
    }
    return status;
}

static vgg_status push(struct walk *walk, struct visit visit)
{
    if (visit.depth > DEPTH_MAX) {
        return vgg_fail(walk->load->err, VGG_ERR_FORMAT,
                        "%s: modules are nested more than %d deep, or contain themselves",
                        walk->load->path, DEPTH_MAX);
    }
    if (walk->count == walk->capacity) {
        size_t capacity = walk->capacity > 0 ? 2 * walk->capacity : 64;
        struct visit *grown =
            vgg_mem_grow(vgg_load_allocator(walk->load), walk->stack,
                         walk->capacity * sizeof *grown, capacity * sizeof *grown);
        if (grown == NULL) {
            return no_memory(walk);
        }
        walk->stack = grown;
        walk->capacity = capacity;
    }
    walk->stack[walk->count++] = visit;
    return VGG_OK;
}

/* Pushes the modules of a dict in reverse, so that the first is visited first. */
static vgg_status push_modules(struct walk *walk, const char *prefix, const struct vgg_value *dict,
                               int depth)
{
    vgg_status status = pay(walk, dict != NULL ? dict->list.count : 0);
    for (size_t i = dict != NULL ? dict->list.count : 0; i >= 2 && status == VGG_OK; i -= 2) {
        const struct vgg_value *value = dict->list.items[i - 1];
        if (value->kind != VGG_VALUE_OBJECT || value->object.state == NULL ||
            value->object.state->kind != VGG_VALUE_DICT) {
            continue;
        }
        status = pay(walk, 1 + value->object.state->list.count);
        if (status == VGG_OK && vgg_source_of(value) != VGG_SOURCE_NONE) {
            status = push(walk, (struct visit){value, prefix, dict->list.items[i - 2], depth});
        }
    }
    return status;
}

static vgg_status visit_module(struct walk *walk, const struct visit *visit)
{
    const struct vgg_value *state = visit->module->object.state;
    const char *prefix = "", *name = "";
    vgg_status status = VGG_OK;
    if (visit->key != NULL) {
        status = make_name(walk, visit->prefix, visit->key, "", &name);
        if (status == VGG_OK) {
            status = make_name(walk, visit->prefix, visit->key, ".", &prefix);
        }
    }
    if (status == VGG_OK && walk->modules != NULL) {
        status = add(walk, walk->modules, name, visit->module);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (vgg_source_of(visit->module) == VGG_SOURCE_SCRIPT) {
        status = add_tensors(walk, prefix, state, NULL);
        return status == VGG_OK ? push_modules(walk, prefix, state, visit->depth + 1) : status;
    }
    status = add_tensors(walk, prefix, get_dict(state, "_parameters"), NULL);
    if (status == VGG_OK) {
        status = add_tensors(walk, prefix, get_dict(state, "_buffers"),
                             vgg_value_get(state, "_non_persistent_buffers_set"));
    }
    return status == VGG_OK
               ? push_modules(walk, prefix, get_dict(state, "_modules"), visit->depth + 1)
               : status;
}

vgg_status vgg_walk(const struct vgg_load *load, const struct vgg_value *source,
                    struct vgg_walk_budget *budget, struct vgg_named_list *tensors,
                    struct vgg_named_list *modules)
{
    struct walk walk = {.load = load, .budget = budget, .tensors = tensors, .modules = modules};
    if (source->kind == VGG_VALUE_DICT) {
        return add_tensors(&walk, "", source, NULL);
    }
    vgg_status status = push(&walk, (struct visit){.module = source});
    while (status == VGG_OK && walk.count > 0) {
        const struct visit visit = walk.stack[--walk.count];
        status = visit_module(&walk, &visit);
    }
    vgg_mem_free(vgg_load_allocator(load), walk.stack);
    return status;
}
