/* Running a plan. */
#ifndef VGG_PLAN_RUN_H
#define VGG_PLAN_RUN_H

#include "base/pool.h"
#include "plan/types.h"

/* Runs it for count <= batch pictures; see vgg_session_run. */
void vgg_plan_run(struct vgg_plan *plan, struct vgg_pool *pool, const float *input, int count,
                  float *logits);

#endif
