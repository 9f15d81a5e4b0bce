/* SPDX-License-Identifier: MIT */
/* Makes the steps of a float32 net. */
#ifndef VGG_PLAN_F32_FUSE_H
#define VGG_PLAN_F32_FUSE_H

#include "plan/types.h"

/* Adds the activation of the caller's input. Returns OK. */
vgg_status vgg_f32_make_input(struct vgg_plan *plan, const struct vgg_node *first,
                              struct vgg_error *err);

/* Makes the step that begins at the chain's position with step->node, and sets step->last.
 * Errors: UNSUPPORTED (a packed file has no weights for these kernels; windows of LRN are too large). */
vgg_status vgg_f32_make_step(struct vgg_plan *plan, const struct vgg_chain *chain,
                             struct vgg_step *step, struct vgg_error *err);

/* Adds the activation that the step produces. Errors: UNSUPPORTED (the step cannot follow those before it). */
vgg_status vgg_f32_make_output(struct vgg_plan *plan, struct vgg_step *step, struct vgg_shape shape,
                               struct vgg_error *err);

#endif
