/* SPDX-License-Identifier: MIT */
/* Makes the value that a pickle holds for a tensor, for containers that list tensors in another way. */
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

/* Makes *out the value of `_rebuild_tensor(storage, offset, size, stride)`, with its parts in the arena; false
 * when there is no memory. */
bool vgg_tensor_value_make(const struct vgg_tensor_view *view, struct vgg_arena *arena,
                           struct vgg_value *out);

/* Sets the strides of elements that are contiguous in row-major order. */
void vgg_tensor_view_set_contiguous(struct vgg_tensor_view *view);

#endif
