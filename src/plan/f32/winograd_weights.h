/* SPDX-License-Identifier: MIT */
/* Filters transformed for Winograd convolution. */
#ifndef VGG_PLAN_F32_WINOGRAD_WEIGHTS_H
#define VGG_PLAN_F32_WINOGRAD_WEIGHTS_H

#include "plan/types.h"

/* Frequencies of a tile: (m + 2)². */
int vgg_winograd_count_frequencies(const struct vgg_step *step);
/* Input channels with those that fill the last blocks; elements of a group. */
size_t vgg_winograd_count_channels(const struct vgg_plan *plan, const struct vgg_step *step);
size_t vgg_winograd_filter_elements(const struct vgg_plan *plan, const struct vgg_step *step);

/* Some filters of a group. */
struct vgg_filters {
    size_t group, groups; /* of those that are prepacked together */
    size_t ic, count;     /* input channels */
    const float *rows;    /* [G][stride], filters [count][kh][kw] */
    size_t stride;
};
/* Transforms them. weight: of all groups that are prepacked together. */
void vgg_winograd_prepack(const struct vgg_plan *plan, const struct vgg_step *step,
                          const struct vgg_filters *filters, float *weight);

#endif
