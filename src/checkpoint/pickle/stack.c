/* SPDX-License-Identifier: MIT */
/* The pickle machine's stack, and what handlers do with values on it. */
#include <inttypes.h>

#include "checkpoint/pickle/stack.h"

#define BAD(m, ...) vgg_pickle_fail(m, VGG_ERR_FORMAT, __VA_ARGS__)

vgg_status vgg_pickle_no_memory(struct vgg_pickle_machine *m)
{
    if (m->value_bytes > m->load->limits->value_bytes) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT,
                               "values larger than the limit of %" PRIu64 " bytes",
                               m->load->limits->value_bytes);
    }
    return vgg_load_fail_memory(m->load, sizeof(struct vgg_value), "the pickle");
}

bool vgg_pickle_reserve(struct vgg_pickle_machine *m, void **items, size_t *capacity, size_t count,
                        size_t bytes)
{
    size_t wanted = *capacity > 0 ? *capacity : 64, total;
    while (wanted < count) {
        wanted *= 2;
    }
    if (wanted == *capacity) {
        return true;
    }
    void *grown = vgg_size_mul(wanted, bytes, &total)
                      ? vgg_mem_grow(vgg_load_allocator(m->load), *items, *capacity * bytes, total)
                      : NULL;
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

vgg_status vgg_pickle_push(struct vgg_pickle_machine *m, struct vgg_value *value)
{
    if (m->stack.count >= m->load->limits->pickle_stack) {
        return vgg_pickle_fail(m, VGG_ERR_LIMIT, "stack deeper than the limit of %" PRIu32,
                               m->load->limits->pickle_stack);
    }
    if (!vgg_pickle_reserve(m, (void **)&m->stack.items, &m->stack.capacity, m->stack.count + 1,
                            sizeof *m->stack.items)) {
        return vgg_pickle_no_memory(m);
    }
    m->stack.items[m->stack.count++] = value;
    return VGG_OK;
}

/* Memory for values; NULL when there is none, or the limit on values is reached. */
static void *allocate(struct vgg_pickle_machine *m, size_t count, size_t bytes)
{
    size_t total;
    if (!vgg_size_mul(count, bytes, &total) ||
        __builtin_add_overflow(m->value_bytes, total, &m->value_bytes)) {
        m->value_bytes = UINT64_MAX;
    }
    return m->value_bytes <= m->load->limits->value_bytes ? vgg_load_alloc(m->load, count, bytes)
                                                          : NULL;
}

struct vgg_value *vgg_pickle_make(struct vgg_pickle_machine *m, enum vgg_value_kind kind)
{
    struct vgg_value *value = allocate(m, 1, sizeof *value);
    if (value != NULL) {
        value->kind = kind;
    }
    return value;
}

vgg_status vgg_pickle_push_new(struct vgg_pickle_machine *m, struct vgg_value value)
{
    struct vgg_value *copy = vgg_pickle_make(m, value.kind);
    if (copy == NULL) {
        return vgg_pickle_no_memory(m);
    }
    *copy = value;
    return vgg_pickle_push(m, copy);
}

struct vgg_value **vgg_pickle_peek(struct vgg_pickle_machine *m, size_t count)
{
    if (m->stack.count - m->fence < count) {
        BAD(m, "stack underflow: expected %zu values, found %zu", count, m->stack.count - m->fence);
        return NULL;
    }
    return m->stack.items + m->stack.count - count;
}

struct vgg_value **vgg_pickle_pop_mark(struct vgg_pickle_machine *m, size_t *count)
{
    if (m->mark_count == 0) {
        BAD(m, "no MARK on the stack");
        return NULL;
    }
    struct vgg_value **items = m->stack.items + m->fence;
    *count = m->stack.count - m->fence;
    m->stack.count = m->fence;
    m->fence = m->marks[--m->mark_count];
    return items;
}

vgg_status vgg_pickle_extend(struct vgg_pickle_machine *m, struct vgg_value *list,
                             struct vgg_value **items, size_t count)
{
    size_t needed = list->list.count + count;
    if (needed > list->list.capacity) {
        /* Exact at first, since most lists are filled at once; then doubling. */
        size_t capacity = list->list.capacity * 2 > needed ? list->list.capacity * 2 : needed;
        struct vgg_value **grown = allocate(m, capacity, sizeof *grown);
        if (grown == NULL) {
            return vgg_pickle_no_memory(m);
        }
        if (list->list.count > 0) {
            memcpy(grown, list->list.items, list->list.count * sizeof *grown);
        }
        list->list.items = grown;
        list->list.capacity = capacity;
    }
    if (count > 0) {
        memcpy(list->list.items + list->list.count, items, count * sizeof *items);
    }
    list->list.count = needed;
    return VGG_OK;
}

vgg_status vgg_pickle_collect(struct vgg_pickle_machine *m, enum vgg_value_kind kind,
                              struct vgg_value **items, size_t count)
{
    struct vgg_value *list = vgg_pickle_make(m, kind);
    if (list == NULL || vgg_pickle_extend(m, list, items, count) != VGG_OK) {
        return vgg_pickle_no_memory(m);
    }
    m->stack.count = (size_t)(items - m->stack.items);
    return vgg_pickle_push(m, list);
}

vgg_status vgg_pickle_collect_top(struct vgg_pickle_machine *m, size_t count)
{
    struct vgg_value **items = vgg_pickle_peek(m, count);
    return items == NULL ? VGG_ERR_FORMAT : vgg_pickle_collect(m, VGG_VALUE_TUPLE, items, count);
}

/* An object that receives items is of a class derived from dict, list or set, and becomes one. */
static void become(struct vgg_value *value, enum vgg_value_kind kind)
{
    enum vgg_global_role role = value->kind == VGG_VALUE_OBJECT
                                    ? value->object.callee->global.entry->role
                                    : VGG_GLOBAL_SIZE;
    if ((role == VGG_GLOBAL_OTHER || role == VGG_GLOBAL_OPAQUE) && value->object.state == NULL) {
        *value = (struct vgg_value){.kind = kind};
    }
}

vgg_status vgg_pickle_add_to(struct vgg_pickle_machine *m, enum vgg_value_kind kind, size_t single)
{
    size_t count = single;
    struct vgg_value **items =
        single > 0 ? vgg_pickle_peek(m, single) : vgg_pickle_pop_mark(m, &count);
    if (items == NULL) {
        return VGG_ERR_FORMAT;
    }
    m->stack.count = (size_t)(items - m->stack.items);
    struct vgg_value **target = vgg_pickle_peek(m, 1);
    if (target == NULL) {
        return VGG_ERR_FORMAT;
    }
    become(*target, kind);
    if ((*target)->kind != kind) {
        return BAD(m, "items added to %s, expected %s", vgg_value_kind_string((*target)->kind),
                   vgg_value_kind_string(kind));
    }
    if (kind == VGG_VALUE_DICT && count % 2 != 0) {
        return BAD(m, "a key without a value");
    }
    return vgg_pickle_extend(m, *target, items, count);
}
