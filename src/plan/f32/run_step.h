/* SPDX-License-Identifier: MIT */
/* Running the steps of a float32 net. */
#ifndef VGG_PLAN_F32_RUN_STEP_H
#define VGG_PLAN_F32_RUN_STEP_H

#include "base/pool.h"
#include "plan/types.h"

void vgg_f32_run_step(struct vgg_executor *executor, const struct vgg_step *step);

#endif
