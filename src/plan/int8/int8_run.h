/* Running the steps of an int8 net. */
#ifndef VGG_PLAN_INT8_INT8_RUN_H
#define VGG_PLAN_INT8_INT8_RUN_H

#include "base/pool.h"
#include "plan/types.h"

/* Runs one step for `count` pictures.
 *   input  the caller's, which is quantised */
void vgg_int8_run_step(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_step *step,
                       const float *input, int count);

/* Copies one picture of an activation of bytes as planar [c][h][w], as the numbers that they stand for. */
void vgg_int8_to_planar(const struct vgg_plan *plan, const struct vgg_activation *activation,
                        int picture, float *out);

#endif
