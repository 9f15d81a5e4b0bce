/* SPDX-License-Identifier: MIT */
/* Writes a tensor's elements in the order of files: row-major and little-endian. */
#ifndef VGG_CHECKPOINT_WRITE_ELEMENTS_H
#define VGG_CHECKPOINT_WRITE_ELEMENTS_H

#include "vgg/checkpoint.h"

/* Receives a tensor's elements piece by piece. */
typedef void vgg_bytes_fn(void *user, const void *bytes, size_t count);

/* Passes the elements to fn in row-major order, little-endian, whatever their strides and byte order. */
void vgg_tensor_write(const struct vgg_tensor *tensor, vgg_bytes_fn *fn, void *user);

/* Bytes of all elements. */
static inline uint64_t vgg_tensor_get_bytes(const struct vgg_tensor *tensor)
{
    return (uint64_t)vgg_tensor_get_count(tensor) * vgg_dtype_get_bytes(tensor->dtype);
}

#endif
