/* SPDX-License-Identifier: MIT */
/* The bytes that tensors lie in, of which several may have the same: with a stride of 0, or as views of one storage, few
 * bytes of a file make gigabytes of elements. */
#ifndef VGG_CHECKPOINT_TENSOR_EXTENT_H
#define VGG_CHECKPOINT_TENSOR_EXTENT_H

#include "vgg/checkpoint.h"

/* From a tensor's first element to its last one. */
struct vgg_extent {
    const char *begin, *end;
};

struct vgg_extent vgg_extent_of(const struct vgg_tensor *tensor);

/* Counts the bytes that belong to at least one extent. Sorts the extents. */
uint64_t vgg_extents_count_bytes(struct vgg_extent *extents, size_t count);

#endif
