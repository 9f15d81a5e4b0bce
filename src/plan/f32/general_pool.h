/* SPDX-License-Identifier: MIT */
/* Pools in all their forms. */
#ifndef VGG_PLAN_F32_GENERAL_POOL_H
#define VGG_PLAN_F32_GENERAL_POOL_H

#include "plan/types.h"

void vgg_general_pool_run(struct vgg_executor *executor, const struct vgg_step *step);

/* ADAPTIVE_MAX_POOL and CONCAT_POOL: blocks of input channels are tasks. */
void vgg_adaptive_pool_partition(const struct vgg_plan *plan, struct vgg_step *step);
void vgg_adaptive_pool_run(struct vgg_executor *executor, const struct vgg_step *step);

#endif
