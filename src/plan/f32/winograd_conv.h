/* Winograd convolution as a step. */
#ifndef VGG_PLAN_F32_WINOGRAD_CONV_H
#define VGG_PLAN_F32_WINOGRAD_CONV_H

#include "base/pool.h"
#include "plan/types.h"

/* Runs the step for `count` pictures. */
void vgg_winograd_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                      int count);

#endif
