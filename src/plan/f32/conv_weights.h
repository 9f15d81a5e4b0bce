/* SPDX-License-Identifier: MIT */
/* A convolution's weights in the order in which kernels read them. */
#ifndef VGG_PLAN_F32_CONV_WEIGHTS_H
#define VGG_PLAN_F32_CONV_WEIGHTS_H

#include "plan/types.h"

/* Prepacking some of a step's groups. */
struct vgg_prepack_job {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    int group_begin, groups;
    float *weight; /* receives them: [groups][group_elements] */
    float *rows;   /* [threads][rows_elements] scratch */
};
void vgg_conv_prepack(const struct vgg_prepack_job *job, struct vgg_pool *pool);

/* The order in which a step's kernels read the weights. */
struct vgg_order_info vgg_conv_get_order(const struct vgg_plan *plan, const struct vgg_step *step);

/* Sets how much memory the weights take, prepacked and on their way there. */
void vgg_conv_size_weights(const struct vgg_plan *plan, struct vgg_step *step);

#endif
