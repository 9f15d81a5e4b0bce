/* SPDX-License-Identifier: MIT */
/* Queries on the chain of nodes that a plan is built from. */
#ifndef VGG_PLAN_NODES_H
#define VGG_PLAN_NODES_H

#include "plan/types.h"

/* Whether a node exists `ahead` of the chain's position and is of this kind. */
bool vgg_chain_has(const struct vgg_chain *chain, size_t ahead, enum vgg_op op);

/* Whether the node `ahead` is the usual pool of a VGG: windows of 2 × 2, side by side. */
bool vgg_chain_has_small_pool(const struct vgg_chain *chain, size_t ahead);

/* Fails with UNSUPPORTED; the message names the node, its class and the reason. */
vgg_status vgg_plan_refuse(const struct vgg_plan *plan, const struct vgg_node *node,
                           const char *why, struct vgg_error *err);

#endif
