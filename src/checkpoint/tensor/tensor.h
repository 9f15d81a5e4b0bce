/* SPDX-License-Identifier: MIT */
/* Where a tensor's elements lie, and parts of it as float32: beyond vgg/checkpoint.h. */
#ifndef VGG_CHECKPOINT_TENSOR_TENSOR_H
#define VGG_CHECKPOINT_TENSOR_TENSOR_H

#include "vgg/checkpoint.h"

/* Bytes from the first element to the last, of a tensor that was opened. */
uint64_t vgg_tensor_get_extent(const struct vgg_tensor *tensor);

/* The address of an element at a position counted in row-major order. */
const void *vgg_tensor_get_address(const struct vgg_tensor *tensor, int64_t position);

/* Steps from one row, which the last dimension makes, to the next in row-major order; after the last comes the
 * first.
 *   index   [ndim - 1] of the row
 *   offset  of the row's first element, in elements */
void vgg_tensor_next_row(const struct vgg_tensor *tensor, int64_t *index, int64_t *offset);

/* The elements first … first+count-1, counted in row-major order, as vgg_tensor_read_f32 reads all.
 *   out  [count] */
void vgg_tensor_read_range(const struct vgg_tensor *tensor, int64_t first, int64_t count,
                           float *out);

#endif
