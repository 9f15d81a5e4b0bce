/* Filters transformed for Winograd convolution. */
#ifndef VGG_PLAN_F32_WINOGRAD_WEIGHTS_H
#define VGG_PLAN_F32_WINOGRAD_WEIGHTS_H

#include "plan/types.h"

/* Frequencies of a tile: (m + 2)². */
int vgg_winograd_count_frequencies(const struct vgg_step *step);
/* Input channels with those that fill the last blocks; elements of a group. */
size_t vgg_winograd_count_channels(const struct vgg_plan *plan, const struct vgg_step *step);
size_t vgg_winograd_filter_elements(const struct vgg_plan *plan, const struct vgg_step *step);
/* Transforms some filters of a group.
 *   group    of `groups` that are packed together
 *   rows     [G][stride], filters [count][3][3] of input channels from ic on */
void vgg_winograd_pack(const struct vgg_plan *plan, const struct vgg_step *step, int groups,
                       size_t group, size_t ic, size_t count, const float *rows, size_t stride);

#endif
