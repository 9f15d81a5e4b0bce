/* SPDX-License-Identifier: MIT */
/* Pixels and channels of NCHWc activations, for steps that do not write whole blocks. */
#ifndef VGG_PLAN_F32_LANES_H
#define VGG_PLAN_F32_LANES_H

#include "plan/types.h"

/* Pixel (h, 0) of a block. */
static inline float *vgg_lanes_get_row(const struct vgg_activation *a, int image, int block, int h)
{
    return a->data + image * a->n_stride + block * a->block_stride + h * a->row_stride;
}

/* Writes what no kernel writes around rows begin … end-1 of a block: the zeros of the padding, and of the channels
 * past the last one, which would turn to NaN in the next convolution if they were infinite. */
void vgg_lanes_finish(const struct vgg_activation *a, int image, int block, int begin, int end);

/* Some consecutive channels of one image. */
struct vgg_lanes {
    int image, channel, count;
};
/* Writes row h of `count` channels, at most as many as a block has, from pixels of a block [w][L]. */
void vgg_lanes_scatter(const struct vgg_activation *a, const struct vgg_lanes *to, int h,
                       const float *from);

#endif
