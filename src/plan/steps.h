/* SPDX-License-Identifier: MIT */
/* From nodes to steps. */
#ifndef VGG_PLAN_STEPS_H
#define VGG_PLAN_STEPS_H

#include "plan/types.h"

/* Fills the plan's steps and activations, whose sizes and places are still open.
 * Errors: UNSUPPORTED, FORMAT (numbers of an int8 net out of range), MISMATCH, MEMORY. */
vgg_status vgg_plan_make_steps(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                               struct vgg_error *err);

#endif
