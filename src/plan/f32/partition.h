/* SPDX-License-Identifier: MIT */
/* Cuts the work of each step into tasks. */
#ifndef VGG_PLAN_F32_PARTITION_H
#define VGG_PLAN_F32_PARTITION_H

#include "plan/types.h"

/* Cuts each step into tasks for the plan's threads. */
void vgg_f32_partition(struct vgg_plan *plan);

#endif
