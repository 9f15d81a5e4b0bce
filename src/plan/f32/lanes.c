/* SPDX-License-Identifier: MIT */
/* Pixels and channels of NCHWc activations, for steps that do not write whole blocks. */
#include "plan/f32/lanes.h"

#include <string.h>

#include "plan/activation.h"

void vgg_lanes_finish(const struct vgg_activation *a, int image, int block, int begin, int end)
{
    const int used = a->shape.c - block * a->lanes;
    for (int h = begin; h < end && used < a->lanes; h++) {
        float *p = vgg_lanes_get_row(a, image, block, h) + used;
        for (int w = 0; w < a->shape.w; w++, p += a->lanes) {
            memset(p, 0, (size_t)(a->lanes - used) * sizeof *p);
        }
    }
    vgg_activation_clear_padding(a, vgg_lanes_get_row(a, image, block, 0), begin, end);
}

void vgg_lanes_scatter(const struct vgg_activation *a, const struct vgg_lanes *to, int h,
                       const float *from)
{
    const int block = to->channel / a->lanes, lane = to->channel % a->lanes;
    const int left = a->lanes - lane, first = to->count < left ? to->count : left;
    float *p = vgg_lanes_get_row(a, to->image, block, h);
    for (int w = 0; w < a->shape.w; w++, p += a->lanes, from += a->lanes) {
        memcpy(p + lane, from, (size_t)first * sizeof *p);
        if (first < to->count) {
            memcpy(p + a->block_stride, from + first, (size_t)(to->count - first) * sizeof *p);
        }
    }
}
