/* SPDX-License-Identifier: MIT */
/* What float32 and int8 nets ask of the chain of nodes that a plan is built from. */
#ifndef VGG_PLAN_NODES_H
#define VGG_PLAN_NODES_H

#include "plan/types.h"

/* Whether the node `ahead` of the chain's place is there and of this kind. */
bool vgg_chain_has(const struct vgg_chain *chain, size_t ahead, enum vgg_op op);

/* Whether the node `ahead` is the pool that every VGG has: windows of 2 × 2 side by side. */
bool vgg_chain_has_small_pool(const struct vgg_chain *chain, size_t ahead);

/* Returns UNSUPPORTED with the node's name and kind. */
vgg_status vgg_plan_refuse(const struct vgg_plan *plan, const struct vgg_node *node,
                           const char *why, struct vgg_error *err);

#endif
