/* SPDX-License-Identifier: MIT */
/* How much memory each convolution may take in a plan for low memory. */
#ifndef VGG_PLAN_F32_MEMORY_BUDGET_H
#define VGG_PLAN_F32_MEMORY_BUDGET_H

#include "plan/types.h"

/* The budget of the convolution at the chain's place; without bounds unless the plan is one for low memory. */
struct vgg_memory_budget vgg_plan_find_budget(const struct vgg_plan *plan,
                                              const struct vgg_chain *chain);

#endif
