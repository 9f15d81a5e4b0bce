/* SPDX-License-Identifier: MIT */
/* Weights in the order in which kernels read them. */
#ifndef VGG_PLAN_F32_PREPACK_H
#define VGG_PLAN_F32_PREPACK_H

#include "plan/f32/conv_weights.h"

/* Sets how much memory each step's weights take, prepacked and on their way there. */
void vgg_plan_size_weights(struct vgg_plan *plan);

/* Makes the biases of all steps, and prepacks the weights unless each run does.
 * Errors: UNSUPPORTED, MEMORY. */
vgg_status vgg_plan_prepack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err);
void vgg_step_free_vectors(const struct vgg_plan *plan, struct vgg_step *step);

/* Prepacks a step's weights into memory of their own, unless they are used in place; and frees that memory.
 * Errors: MEMORY. */
vgg_status vgg_step_prepack(const struct vgg_plan *plan, struct vgg_step *step,
                            struct vgg_pool *pool, struct vgg_error *err);
void vgg_step_drop_weights(const struct vgg_plan *plan, struct vgg_step *step);

/* In a run of a one-shot plan: prepacks groups of a convolution's weights into the step's workspace. Otherwise, and
 * for weights used in place, it does nothing. */
void vgg_conv_prepack_groups(struct vgg_executor *executor, const struct vgg_step *step,
                             int group_begin, int groups);

/* The prepacked weights of a convolution, wherever they are; in a one-shot plan those prepacked last. */
const float *vgg_conv_get_weights(const struct vgg_executor *executor, const struct vgg_step *step);

#endif
