/* SPDX-License-Identifier: MIT */
/* Describes each step for vgg_session_get_step: its algorithm, its work and its memory. */
#ifndef VGG_PLAN_DESCRIBE_H
#define VGG_PLAN_DESCRIBE_H

#include "plan/types.h"

/* Fills plan->info; strings go into the plan's arena. Errors: MEMORY. */
vgg_status vgg_plan_describe(struct vgg_plan *plan, struct vgg_error *err);

#endif
