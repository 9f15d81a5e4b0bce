/* SPDX-License-Identifier: MIT */
/* Tensors as values, without a pickle. */
#include "checkpoint/container/tensor_value.h"

#include "checkpoint/pickle/globals.h"

static const struct vgg_value *find_rebuild(struct vgg_arena *arena)
{
    static const char module[] = "torch._utils", name[] = "_rebuild_tensor";
    struct vgg_value *value = vgg_arena_alloc(arena, 1, sizeof *value);
    if (value != NULL) {
        value->kind = VGG_VALUE_GLOBAL;
        value->global.module = (struct vgg_span){module, sizeof module - 1};
        value->global.name = (struct vgg_span){name, sizeof name - 1};
        value->global.entry = vgg_global_find(value->global.module, value->global.name);
    }
    return value;
}

/* A TUPLE of count values, which are cleared. */
static struct vgg_value *make_tuple(struct vgg_arena *arena, size_t count)
{
    struct vgg_value *tuple = vgg_arena_alloc(arena, 1 + count, sizeof *tuple);
    struct vgg_value **items = vgg_arena_alloc(arena, count, sizeof *items);
    if (tuple == NULL || items == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = &tuple[1 + i];
    }
    tuple->kind = VGG_VALUE_TUPLE;
    tuple->list.items = items;
    tuple->list.count = tuple->list.capacity = count;
    return tuple;
}

static struct vgg_value *make_ints(struct vgg_arena *arena, const int64_t *numbers, int count)
{
    struct vgg_value *tuple = make_tuple(arena, (size_t)count);
    for (int i = 0; tuple != NULL && i < count; i++) {
        *tuple->list.items[i] = (struct vgg_value){.kind = VGG_VALUE_INT, .integer = numbers[i]};
    }
    return tuple;
}

bool vgg_tensor_value_make(const struct vgg_tensor_view *view, struct vgg_arena *arena,
                           struct vgg_value *out)
{
    struct vgg_value *args = make_tuple(arena, 4);
    struct vgg_value *size = make_ints(arena, view->shape, view->ndim);
    struct vgg_value *stride = make_ints(arena, view->stride, view->ndim);
    const struct vgg_value *rebuild = find_rebuild(arena);
    if (args == NULL || size == NULL || stride == NULL || rebuild == NULL) {
        return false;
    }
    struct vgg_value **items = args->list.items;
    items[0]->kind = VGG_VALUE_PERSISTENT;
    items[0]->persistent.storage = view->storage;
    items[0]->persistent.offset = view->part_offset;
    items[0]->persistent.count = view->part_count;
    *items[1] = (struct vgg_value){.kind = VGG_VALUE_INT, .integer = view->offset};
    items[2] = size;
    items[3] = stride;
    *out = (struct vgg_value){.kind = VGG_VALUE_OBJECT, .object = {rebuild, args, NULL}};
    return true;
}

void vgg_tensor_view_set_contiguous(struct vgg_tensor_view *view)
{
    int64_t step = 1;
    for (int i = view->ndim - 1; i >= 0; i--) {
        view->stride[i] = step;
        if (view->shape[i] > 1 && __builtin_mul_overflow(step, view->shape[i], &step)) {
            step = INT64_MAX; /* of a tensor without elements, since all sizes are checked */
        }
    }
}
