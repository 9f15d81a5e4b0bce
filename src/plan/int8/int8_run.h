/* SPDX-License-Identifier: MIT */
/* Running the steps of an int8 net. */
#ifndef VGG_PLAN_INT8_INT8_RUN_H
#define VGG_PLAN_INT8_INT8_RUN_H

#include "base/pool.h"
#include "plan/types.h"

void vgg_int8_run_step(struct vgg_executor *executor, const struct vgg_step *step);

/* Copies one image of an activation of bytes as NCHW float32: the numbers that the bytes stand for. */
void vgg_int8_to_nchw(const struct vgg_plan *plan, const struct vgg_activation *activation,
                      int image, float *out);

#endif
