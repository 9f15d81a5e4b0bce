/* SPDX-License-Identifier: MIT */
/* Dense evaluation: fully connected layers applied to every window of an image. */
#ifndef VGG_PLAN_F32_DENSE_LINEAR_H
#define VGG_PLAN_F32_DENSE_LINEAR_H

#include "base/pool.h"
#include "plan/types.h"

/* Returns the number of windows that are gathered together.
 *   scratch  receives the scratch for them: at most a quarter of the plan's activation limit, unless one window alone
 *            needs more */
int vgg_dense_choose(const struct vgg_plan *plan, const struct vgg_step *step, struct vgg_shape in,
                     struct vgg_scratch *scratch);
/* Runs the step. */
void vgg_dense_run(const struct vgg_executor *executor, const struct vgg_step *step);

#endif
