/* SPDX-License-Identifier: MIT */
/* Building and freeing a plan. */
#ifndef VGG_PLAN_PLAN_H
#define VGG_PLAN_PLAN_H

#include "plan/types.h"

/* Builds a plan, with the pool's threads and for as many. The net's nodes, their tensors and its path are borrowed;
 * the pool is not needed afterwards.
 * Errors: MISMATCH, UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_plan_create(const struct vgg_net *net, const struct vgg_plan_options *options,
                           struct vgg_pool *pool, struct vgg_plan **out, struct vgg_error *err);
void vgg_plan_destroy(struct vgg_plan *plan);

#endif
