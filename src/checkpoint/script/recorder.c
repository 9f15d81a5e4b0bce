/* SPDX-License-Identifier: MIT */
/* Records the steps that the code of a TorchScript archive takes, each as the module that computes it. */
#include "checkpoint/script/recorder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DESCRIPTION_BYTES = 100 };

static int compare_objects(const void *a, const void *b)
{
    const struct vgg_known_module *left = a, *right = b;
    const uintptr_t x = (uintptr_t)left->object, y = (uintptr_t)right->object;
    /* Of an object with two names, the first one in the file comes first. */
    return x != y ? (x > y) - (x < y) : (left->place > right->place) - (left->place < right->place);
}

/* Whether a module contains no modules. */
static bool is_leaf(const struct vgg_value *object)
{
    const struct vgg_value *state = object->object.state;
    for (size_t i = 1; i < state->list.count; i += 2) {
        if (vgg_source_of(state->list.items[i]) == VGG_SOURCE_SCRIPT) {
            return false;
        }
    }
    return true;
}

bool vgg_recorder_init(const struct vgg_named_list *modules, size_t max_steps,
                       struct vgg_arena *arena, struct vgg_arena *scratch, struct vgg_recorder *out)
{
    *out = (struct vgg_recorder){.arena = arena, .max = max_steps, .module_count = modules->count};
    out->modules = vgg_arena_alloc(scratch, modules->count + 1, sizeof *out->modules);
    if (out->modules == NULL) {
        return vgg_recorder_stop_memory(out);
    }
    for (size_t i = 0; i < modules->count; i++) {
        out->modules[i] = (struct vgg_known_module){.object = modules->items[i].value,
                                                    .name = modules->items[i].name,
                                                    .place = i,
                                                    .leaf = is_leaf(modules->items[i].value)};
    }
    qsort(out->modules, out->module_count, sizeof *out->modules, compare_objects);
    return true;
}

bool vgg_recorder_stop(struct vgg_recorder *recorder, enum vgg_script_outcome outcome,
                       const char *format, ...)
{
    if (recorder->outcome != VGG_SCRIPT_NONE) {
        return false;
    }
    recorder->outcome = outcome;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(recorder->reason, sizeof recorder->reason, format, arguments);
    va_end(arguments);
    return false;
}

bool vgg_recorder_stop_memory(struct vgg_recorder *recorder)
{
    recorder->no_memory = true;
    return vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN, "out of memory");
}

static struct vgg_known_module *find(const struct vgg_recorder *recorder,
                                     const struct vgg_value *object)
{
    size_t low = 0, high = recorder->module_count;
    while (low < high) { /* the first that is not before the object */
        const size_t middle = low + (high - low) / 2;
        if ((uintptr_t)recorder->modules[middle].object < (uintptr_t)object) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct vgg_known_module *found = &recorder->modules[low];
    return low < recorder->module_count && found->object == object ? found : NULL;
}

const char *vgg_recorder_find_name(const struct vgg_recorder *recorder,
                                   const struct vgg_value *object)
{
    const struct vgg_known_module *found = object != NULL ? find(recorder, object) : NULL;
    return found != NULL ? found->name : NULL;
}

/* The innermost module, for messages: its path, else its class. */
static void describe_self(const struct vgg_recorder *recorder, char text[DESCRIPTION_BYTES])
{
    const char *name = vgg_recorder_find_name(recorder, recorder->self);
    if (name != NULL && name[0] != '\0') {
        snprintf(text, DESCRIPTION_BYTES, "%.*s", VGG_SHOWN_TEXT(name, 64));
    } else if (recorder->self != NULL) {
        const struct vgg_span type = recorder->self->object.callee->global.name;
        snprintf(text, DESCRIPTION_BYTES, "%.*s", VGG_SHOWN(type.bytes, type.length, 64));
    } else {
        snprintf(text, DESCRIPTION_BYTES, "the code");
    }
}

/* What computes data: "the output of conv1", "the output of ReLU after conv1". */
static void describe_data(const struct vgg_recorder *recorder, size_t data,
                          char text[DESCRIPTION_BYTES])
{
    size_t named = data;
    while (named > 0 && recorder->steps[named - 1].name == NULL) {
        named--;
    }
    const char *after = named > 0 ? recorder->steps[named - 1].name : "the input";
    if (named == data) {
        snprintf(text, DESCRIPTION_BYTES, "%s%.*s", data > 0 ? "the output of " : "",
                 VGG_SHOWN_TEXT(after, 64));
    } else {
        snprintf(text, DESCRIPTION_BYTES, "the output of %s after %.*s",
                 recorder->steps[data - 1].type, VGG_SHOWN_TEXT(after, 40));
    }
}

/* What to do about arithmetic of the net's input, which is a normalisation of images as a rule. */
static const char *advise(const struct vgg_term *term)
{
    static const char *const arithmetic[] = {"torch.sub", "torch.sub_", "torch.div", "torch.div_",
                                             "torch.mul", "torch.mul_", "torch.add", "torch.add_"};
    for (size_t i = 0; i < sizeof arithmetic / sizeof arithmetic[0]; i++) {
        if (term->derived.first == 0 && vgg_span_equals(term->derived.operation, arithmetic[i])) {
            return ": if it normalises images, save the net without it, and set mean and std";
        }
    }
    return "";
}

bool vgg_recorder_stop_derived(struct vgg_recorder *recorder, const struct vgg_term *term)
{
    char self[DESCRIPTION_BYTES], first[DESCRIPTION_BYTES], second[DESCRIPTION_BYTES];
    const struct vgg_span operation = term->derived.operation;
    describe_self(recorder, self);
    describe_data(recorder, term->derived.first, first);
    if (term->derived.twin > 0) {
        return vgg_recorder_stop(recorder, VGG_SCRIPT_REFUSED, "%s: %s is used twice: a branch",
                                 self, first);
    }
    if (term->derived.first == term->derived.second) {
        return vgg_recorder_stop(recorder, VGG_SCRIPT_REFUSED, "%s: %.*s of %s%s", self,
                                 VGG_SHOWN(operation.bytes, operation.length, 64), first,
                                 advise(term));
    }
    describe_data(recorder, term->derived.second, second);
    return vgg_recorder_stop(recorder, VGG_SCRIPT_REFUSED,
                             "%s: %.*s joins %s and %s: a skip connection or a branch", self,
                             VGG_SHOWN(operation.bytes, operation.length, 64), first, second);
}

size_t vgg_recorder_resolve(const struct vgg_recorder *recorder, size_t data)
{
    while (data < recorder->count && recorder->steps[data].alias) {
        data++;
    }
    return data;
}

bool vgg_recorder_is_flat(const struct vgg_recorder *recorder, size_t data)
{
    for (size_t i = data; i > 0; i--) {
        const char *type = recorder->steps[i - 1].type;
        if (strcmp(type, "Flatten") == 0 || strcmp(type, "Linear") == 0) {
            return true;
        }
        if (strstr(type, "Pool") != NULL || strstr(type, "Conv") != NULL) {
            return false;
        }
    }
    return false;
}

bool vgg_recorder_check_input(struct vgg_recorder *recorder, struct vgg_span operation,
                              const struct vgg_term *term)
{
    char self[DESCRIPTION_BYTES], data[DESCRIPTION_BYTES];
    if (term->kind == VGG_TERM_DERIVED) {
        return vgg_recorder_stop_derived(recorder, term);
    }
    describe_self(recorder, self);
    if (term->kind != VGG_TERM_DATA) {
        return vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN,
                                 "%s: %.*s of something that is not understood", self,
                                 VGG_SHOWN(operation.bytes, operation.length, 64));
    }
    if (vgg_recorder_resolve(recorder, term->data) != recorder->count) {
        describe_data(recorder, term->data, data);
        return vgg_recorder_stop(recorder, VGG_SCRIPT_REFUSED, "%s: %s is used twice: a branch",
                                 self, data);
    }
    return true;
}

/* The innermost module's name, if no step has it; NULL: the step is a function's. */
static const char *take_name(struct vgg_recorder *recorder)
{
    struct vgg_known_module *module =
        recorder->self != NULL ? find(recorder, recorder->self) : NULL;
    if (module == NULL || module->used || module->name[0] == '\0' || !module->leaf) {
        return NULL;
    }
    module->used = true;
    return module->name;
}

bool vgg_recorder_add(struct vgg_recorder *recorder, const struct vgg_script_step *step)
{
    if (recorder->count == recorder->max) {
        return vgg_recorder_stop(recorder, VGG_SCRIPT_UNKNOWN, "more than %zu steps",
                                 recorder->max);
    }
    if (recorder->count == recorder->capacity) {
        const size_t capacity = recorder->capacity > 0 ? 2 * recorder->capacity : 64;
        struct vgg_script_step *steps = vgg_arena_alloc(recorder->arena, capacity, sizeof *steps);
        if (steps == NULL) {
            return vgg_recorder_stop_memory(recorder);
        }
        if (recorder->count > 0) {
            memcpy(steps, recorder->steps, recorder->count * sizeof *steps);
        }
        recorder->steps = steps;
        recorder->capacity = capacity;
    }
    struct vgg_script_step *added = &recorder->steps[recorder->count++];
    *added = *step;
    added->name = step->name != NULL ? step->name : take_name(recorder);
    return true;
}
