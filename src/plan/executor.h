/* SPDX-License-Identifier: MIT */
/* Running a plan. */
#ifndef VGG_PLAN_EXECUTOR_H
#define VGG_PLAN_EXECUTOR_H

#include "plan/types.h"

/* Allocates the memory that running the plan needs.
 *   plan     borrowed, like the pool, which has the number of threads that the plan was built for
 *   on_node  NULL, or called after each node; the plan is unfused
 * Errors: MEMORY. */
vgg_status vgg_executor_create(const struct vgg_plan *plan, struct vgg_pool *pool,
                               vgg_node_fn *on_node, void *user, struct vgg_executor **out,
                               struct vgg_error *err);
void vgg_executor_destroy(struct vgg_executor *executor);

/* Runs the plan for count <= batch images, see vgg_session_run. */
void vgg_executor_run(struct vgg_executor *executor, const float *input, int count, float *logits);

#endif
