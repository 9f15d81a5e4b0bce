/* SPDX-License-Identifier: MIT */
/* The memory budget of each convolution of a low-memory plan. */
#ifndef VGG_PLAN_F32_MEMORY_BUDGET_H
#define VGG_PLAN_F32_MEMORY_BUDGET_H

#include "plan/types.h"

/* The budget of the convolution at the chain's position; SIZE_MAX unless the plan is a low-memory one. */
struct vgg_memory_budget vgg_plan_find_budget(const struct vgg_plan *plan,
                                              const struct vgg_chain *chain);

#endif
