/* SPDX-License-Identifier: MIT */
/* Running fully connected layers. */
#ifndef VGG_PLAN_F32_LINEAR_H
#define VGG_PLAN_F32_LINEAR_H

#include "base/pool.h"
#include "plan/types.h"

/* Runs a fully connected layer.
 *   layer    the caller sets x, y, their strides, and n; the rest is set here
 *   scratch  for column-major weights: vgg_sparse_linear_count_scratch floats */
void vgg_linear_run(const struct vgg_executor *executor, const struct vgg_step *step,
                    struct vgg_linear_args *layer, float *scratch);

#endif
