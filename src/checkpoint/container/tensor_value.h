/* SPDX-License-Identifier: MIT */
/* The value that a pickle would have of a tensor, for containers that list tensors in another way. */
#ifndef VGG_CHECKPOINT_CONTAINER_TENSOR_VALUE_H
#define VGG_CHECKPOINT_CONTAINER_TENSOR_VALUE_H

#include "base/mem.h"
#include "checkpoint/container/storage.h"

/* A strided view of a part of a storage; nothing in it is checked yet. */
struct vgg_tensor_view {
    struct vgg_storage *storage;
    uint64_t part_offset, part_count; /* the part, in elements; lies in the storage */
    int64_t offset;                   /* in the part */
    int ndim;                         /* 0 … VGG_MAX_DIMS */
    int64_t shape[VGG_MAX_DIMS], stride[VGG_MAX_DIMS];
};

/* Makes *out what `_rebuild_tensor(storage, offset, size, stride)` leaves. Its parts are the arena's;
 * false when there is no memory. */
bool vgg_tensor_value_make(const struct vgg_tensor_view *view, struct vgg_arena *arena,
                           struct vgg_value *out);

/* Strides of elements that lie one after the other in row-major order. */
void vgg_tensor_view_set_contiguous(struct vgg_tensor_view *view);

#endif
