/* SPDX-License-Identifier: MIT */
/* Running a plan. */
#ifndef VGG_PLAN_EXECUTOR_H
#define VGG_PLAN_EXECUTOR_H

#include "plan/types.h"

/* Allocates what running the plan needs.
 *   plan      borrowed, as is the pool, which has as many threads as the plan was built for
 *   listener  NULL, or called after each node; the plan is unfused
 * Errors: MEMORY. */
vgg_status vgg_executor_create(const struct vgg_plan *plan, struct vgg_pool *pool,
                               const struct vgg_node_listener *listener, struct vgg_executor **out,
                               struct vgg_error *err);
void vgg_executor_destroy(struct vgg_executor *executor);

/* Runs the plan for count <= batch images, see vgg_session_run. */
void vgg_executor_run(struct vgg_executor *executor, const float *input, int count, float *logits);

#endif
