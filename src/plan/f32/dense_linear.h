/* SPDX-License-Identifier: MIT */
/* Fully connected layers on every window of an image. */
#ifndef VGG_PLAN_F32_DENSE_LINEAR_H
#define VGG_PLAN_F32_DENSE_LINEAR_H

#include "base/pool.h"
#include "plan/types.h"

/* Chooses how many windows are gathered together, returned, and the scratch for them, which fits a quarter of the
 * plan's activation limit where one window does. */
int vgg_dense_choose(const struct vgg_plan *plan, const struct vgg_step *step, struct vgg_shape in,
                     struct vgg_scratch *scratch);
void vgg_dense_run(const struct vgg_executor *executor, const struct vgg_step *step);

#endif
