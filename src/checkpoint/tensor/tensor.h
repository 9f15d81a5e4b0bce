/* SPDX-License-Identifier: MIT */
/* The places of a tensor's elements, and parts of it as float32. */
#ifndef VGG_CHECKPOINT_TENSOR_TENSOR_H
#define VGG_CHECKPOINT_TENSOR_TENSOR_H

#include "vgg/checkpoint.h"

/* Bytes from the first element to the last, of a tensor of an opened checkpoint. */
uint64_t vgg_tensor_get_extent(const struct vgg_tensor *tensor);

/* The address of an element at a position counted in row-major order. */
const void *vgg_tensor_get_address(const struct vgg_tensor *tensor, int64_t position);

/* Moves to the next row, along the last dimension, in row-major order; after the last row, to the first.
 *   index   [ndim - 1] of the row
 *   offset  of the row's first element, in elements */
void vgg_tensor_next_row(const struct vgg_tensor *tensor, int64_t *index, int64_t *offset);

/* The elements first … first+count-1, counted in row-major order, as vgg_tensor_read_f32 reads all.
 *   out  [count] */
void vgg_tensor_read_range(const struct vgg_tensor *tensor, int64_t first, int64_t count,
                           float *out);

#endif
