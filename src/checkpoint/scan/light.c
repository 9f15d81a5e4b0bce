/* SPDX-License-Identifier: MIT */
/* The stack and the memo of a pickle that is followed. */
#include "checkpoint/scan/light.h"

static bool reserve(const struct vgg_load *load, struct vgg_light_list *list, size_t count)
{
    size_t capacity = list->capacity > 0 ? list->capacity : 64;
    while (capacity < count) {
        capacity *= 2;
    }
    if (capacity == list->capacity) {
        return true;
    }
    void *grown = vgg_mem_grow(vgg_load_allocator(load), list->items,
                               list->count * sizeof *list->items, capacity * sizeof *list->items);
    if (grown == NULL) {
        return false;
    }
    list->items = grown;
    list->capacity = capacity;
    return true;
}

bool vgg_light_push(const struct vgg_load *load, struct vgg_light_list *list,
                    struct vgg_light value, bool *full)
{
    *full = list->count >= list->max;
    if (*full || !reserve(load, list, list->count + 1)) {
        return false;
    }
    list->items[list->count++] = value;
    return true;
}

bool vgg_light_put(const struct vgg_load *load, struct vgg_light_list *memo, uint64_t index,
                   struct vgg_light value)
{
    /* Python's MEMOIZE numbers by how many entries there are. */
    memo->used += index >= memo->count || memo->items[index].kind == VGG_LIGHT_MARK;
    if (index >= memo->max) {
        return true;
    }
    if (!reserve(load, memo, (size_t)index + 1)) {
        return false;
    }
    while (memo->count <= index) {
        memo->items[memo->count++] = (struct vgg_light){.kind = VGG_LIGHT_MARK};
    }
    memo->items[index] = value;
    return true;
}

bool vgg_light_has(const struct vgg_light_list *memo, uint64_t index)
{
    return index < memo->count && memo->items[index].kind != VGG_LIGHT_MARK;
}

struct vgg_light vgg_light_get(const struct vgg_light_list *memo, uint64_t index)
{
    return vgg_light_has(memo, index) ? memo->items[index]
                                      : (struct vgg_light){.kind = VGG_LIGHT_UNKNOWN};
}

/* ("storage", type, key, location, elements, …) */
static bool is_storage(const struct vgg_light *items, size_t count)
{
    return count >= 5 && vgg_light_is_text(items[0]) && vgg_span_equals(items[0].text, "storage") &&
           items[1].kind == VGG_LIGHT_NAME && vgg_light_is_text(items[2]) &&
           items[4].kind == VGG_LIGHT_PLAIN;
}

struct vgg_light vgg_light_tuple(const struct vgg_light *items, size_t count)
{
    struct vgg_light tuple = {
        .kind = VGG_LIGHT_TUPLE, .number = 1, .items = (uint32_t)(count < 1000 ? count : 1000)};
    if (is_storage(items, count)) {
        return (struct vgg_light){.kind = VGG_LIGHT_STORAGE,
                                  .name = items[1].name,
                                  .text = items[2].text,
                                  .number = items[4].number};
    }
    for (size_t i = 0; i < count; i++) {
        const struct vgg_light *item = &items[i];
        if ((vgg_light_is_text(*item) || vgg_light_is_bytes(item->kind)) &&
            tuple.first == VGG_LIGHT_UNKNOWN) {
            tuple.first = item->kind;
            tuple.text = item->text;
            tuple.escaped = item->escaped;
        }
        if (item->kind == VGG_LIGHT_NAME || item->kind == VGG_LIGHT_MADE) {
            tuple.name = item->name;
        }
        if (item->kind == VGG_LIGHT_PLAIN &&
            __builtin_mul_overflow(tuple.number, item->number, &tuple.number)) {
            tuple.number = UINT64_MAX;
        }
    }
    tuple.latin1 =
        count == 2 && vgg_light_is_text(items[0]) && vgg_light_is_text(items[1]) &&
        (vgg_span_equals(items[1].text, "latin1") || vgg_span_equals(items[1].text, "latin-1"));
    return tuple;
}
