/* SPDX-License-Identifier: MIT */
/* Prepacked weights of all steps. */
#ifndef VGG_PLAN_F32_PREPACK_H
#define VGG_PLAN_F32_PREPACK_H

#include "plan/f32/conv_weights.h"

/* Sets the sizes of each step's weights and of the scratch for prepacking. */
void vgg_plan_size_weights(struct vgg_plan *plan);

/* Makes the biases of all steps and, unless each run does so, prepacks the weights.
 * Errors: UNSUPPORTED, MEMORY. */
vgg_status vgg_plan_prepack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err);
/* Frees a step's biases and scales. */
void vgg_step_free_vectors(const struct vgg_plan *plan, struct vgg_step *step);

/* Prepacks a step's weights, unless they are used in place, into memory that vgg_step_drop_weights frees.
 * Errors: MEMORY. */
vgg_status vgg_step_prepack(const struct vgg_plan *plan, struct vgg_step *step,
                            struct vgg_pool *pool, struct vgg_error *err);
void vgg_step_drop_weights(const struct vgg_plan *plan, struct vgg_step *step);

/* In a one-shot plan, prepacks groups of a convolution's weights into the step's workspace. In other plans, and for weights
 * that are used in place, it does nothing. */
void vgg_conv_prepack_groups(struct vgg_executor *executor, const struct vgg_step *step,
                             int group_begin, int groups);

/* The prepacked weights of a convolution, wherever they are; in a one-shot plan those that were prepacked last. */
const float *vgg_conv_get_weights(const struct vgg_executor *executor, const struct vgg_step *step);

#endif
