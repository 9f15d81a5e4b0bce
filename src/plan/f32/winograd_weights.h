/* SPDX-License-Identifier: MIT */
/* Transforming filters for Winograd convolution. */
#ifndef VGG_PLAN_F32_WINOGRAD_WEIGHTS_H
#define VGG_PLAN_F32_WINOGRAD_WEIGHTS_H

#include "plan/types.h"

/* The number of frequencies of a tile: (m + 2)². */
int vgg_winograd_count_frequencies(const struct vgg_step *step);
/* Input channels, padded to the blocks that are transformed together. */
size_t vgg_winograd_count_channels(const struct vgg_plan *plan, const struct vgg_step *step);
/* Floats of the transformed filters of a group. */
size_t vgg_winograd_filter_elements(const struct vgg_plan *plan, const struct vgg_step *step);

/* Some filters of a group. */
struct vgg_filters {
    /* The group's number among the groups that are prepacked together. */
    size_t group, groups;
    /* Input channels ic … ic+count-1. */
    size_t ic, count;
    /* [G][stride], filters [count][kh][kw] */
    const float *rows;
    size_t stride;
};
/* Transforms filters.
 *   weight  of all groups that are prepacked together */
void vgg_winograd_prepack(const struct vgg_plan *plan, const struct vgg_step *step,
                          const struct vgg_filters *filters, float *weight);

#endif
