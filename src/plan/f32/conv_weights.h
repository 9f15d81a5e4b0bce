/* SPDX-License-Identifier: MIT */
/* Prepacking a convolution's weights. */
#ifndef VGG_PLAN_F32_CONV_WEIGHTS_H
#define VGG_PLAN_F32_CONV_WEIGHTS_H

#include "plan/types.h"

/* Some groups of a step's weights to prepack. */
struct vgg_prepack_job {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    int group_begin, groups;
    /* Receives [groups][group_elements]. */
    float *weight;
    /* Scratch, [threads][rows_elements]. */
    float *rows;
};
void vgg_conv_prepack(const struct vgg_prepack_job *job, struct vgg_pool *pool);

/* The order in which the step's kernels read weights. */
struct vgg_order_info vgg_conv_get_order(const struct vgg_plan *plan, const struct vgg_step *step);

/* Sets the sizes of the prepacked weights and of the scratch for prepacking. */
void vgg_conv_size_weights(const struct vgg_plan *plan, struct vgg_step *step);

#endif
