/* SPDX-License-Identifier: MIT */
/* Building and freeing a plan. */
#ifndef VGG_PLAN_PLAN_H
#define VGG_PLAN_PLAN_H

#include "plan/types.h"

/* Builds a plan for the number of the pool's threads. The nodes and their tensors are borrowed; the pool is only used to
 * build.
 * Errors: MISMATCH, UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_plan_create(const struct vgg_node *nodes, size_t node_count, const char *path,
                           const struct vgg_plan_options *options, struct vgg_pool *pool,
                           struct vgg_plan **out, struct vgg_error *err);
void vgg_plan_destroy(struct vgg_plan *plan);

#endif
