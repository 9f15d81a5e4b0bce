/* SPDX-License-Identifier: MIT */
/* Cuts the chain of nodes into steps. */
#ifndef VGG_PLAN_STEPS_H
#define VGG_PLAN_STEPS_H

#include "plan/types.h"

/* Makes the plan's steps and activations; their sizes and offsets are set later (memory.h).
 * Errors: UNSUPPORTED, MISMATCH, MEMORY. */
vgg_status vgg_plan_make_steps(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                               struct vgg_error *err);

#endif
