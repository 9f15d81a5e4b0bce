/* SPDX-License-Identifier: MIT */
/* Convolutions in all their forms. */
#ifndef VGG_PLAN_F32_GENERAL_CONV_H
#define VGG_PLAN_F32_GENERAL_CONV_H

#include "plan/f32/conv_weights.h"

void vgg_general_conv_partition(const struct vgg_plan *plan, struct vgg_step *step);

/* Sets how much memory the weights take, prepacked and on their way there. */
void vgg_general_conv_size_weights(const struct vgg_plan *plan, struct vgg_step *step);
/* Prepacks the job's groups of output channels. */
void vgg_general_conv_prepack(const struct vgg_prepack_job *job, struct vgg_pool *pool);

void vgg_general_conv_run(struct vgg_executor *executor, const struct vgg_step *step);

/* The algorithm, the multiply-adds of the definition, and those that are done. */
void vgg_general_conv_describe(const struct vgg_plan *plan, const struct vgg_step *step,
                               char *algorithm, size_t bytes, struct vgg_step_info *info);

#endif
