/* SPDX-License-Identifier: MIT */
/* Activation functions other than ReLU. */
#ifndef VGG_PLAN_F32_FUNCTION_H
#define VGG_PLAN_F32_FUNCTION_H

#include "plan/types.h"

/* Sets the step's function and the slope of each of `channels` channels. Errors: MEMORY. */
vgg_status vgg_function_make(struct vgg_plan *plan, struct vgg_step *step, int channels,
                             struct vgg_error *err);

void vgg_function_run(struct vgg_executor *executor, const struct vgg_step *step);

#endif
