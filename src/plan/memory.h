/* SPDX-License-Identifier: MIT */
/* The layout of all memory of a run. */
#ifndef VGG_PLAN_MEMORY_H
#define VGG_PLAN_MEMORY_H

#include "plan/types.h"

/* Sets the padding, strides and sizes of all activations. Errors: LIMIT. */
vgg_status vgg_plan_size_activations(struct vgg_plan *plan, struct vgg_error *err);

/* Sets the offsets of all activations and workspaces, and the size of the slab. Errors: LIMIT. */
vgg_status vgg_plan_lay_out(struct vgg_plan *plan, struct vgg_error *err);

#endif
