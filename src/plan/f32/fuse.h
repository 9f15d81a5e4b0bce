/* From nodes to steps. */
#ifndef VGG_PLAN_F32_FUSE_H
#define VGG_PLAN_F32_FUSE_H

#include "plan/types.h"

/* Fills the plan's steps and activations. Errors: UNSUPPORTED, MISMATCH, MEMORY. */
vgg_status vgg_plan_fuse(struct vgg_plan *plan, const struct vgg_node *nodes, size_t node_count,
                         struct vgg_error *err);

#endif
