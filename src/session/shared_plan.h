/* SPDX-License-Identifier: MIT */
/* Shares plans among the sessions of a model. */
#ifndef VGG_SESSION_SHARED_PLAN_H
#define VGG_SESSION_SHARED_PLAN_H

#include "model/view.h"
#include "plan/types.h"

/* Finds the model's plan with these options, or builds it with the pool. The caller releases it.
 * Errors: those of vgg_plan_create. Threads: any. */
vgg_status vgg_plan_share(const struct vgg_model_view *model,
                          const struct vgg_plan_options *options, struct vgg_pool *pool,
                          struct vgg_plan **out, struct vgg_error *err);
/* Frees the plan when no session uses it. NULL is allowed. Threads: any. */
void vgg_plan_release(const struct vgg_model_view *model, struct vgg_plan *plan);

#endif
