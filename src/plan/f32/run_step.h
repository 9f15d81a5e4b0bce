/* Running the steps of a float32 net. */
#ifndef VGG_PLAN_F32_RUN_STEP_H
#define VGG_PLAN_F32_RUN_STEP_H

#include "base/pool.h"
#include "plan/types.h"

/* Runs one step for `count` pictures.
 *   input  the caller's, which the first convolution reads */
void vgg_f32_run_step(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_step *step,
                      const float *input, int count);

#endif
