/* SPDX-License-Identifier: MIT */
/* Steps of layers that VGG itself does not have. */
#ifndef VGG_PLAN_F32_GENERAL_H
#define VGG_PLAN_F32_GENERAL_H

#include "plan/types.h"

/* Cuts such a step into tasks and sets its scratch; leaves other steps alone. */
void vgg_general_partition(const struct vgg_plan *plan, struct vgg_step *step);

/* Runs such a step; nothing to do for IDENTITY. */
void vgg_general_run(struct vgg_executor *executor, const struct vgg_step *step);

#endif
