/* SPDX-License-Identifier: MIT */
/* Fully connected layers with column-major weights: weights of inputs that are zero are not read. */
#ifndef VGG_PLAN_F32_SPARSE_LINEAR_H
#define VGG_PLAN_F32_SPARSE_LINEAR_H

#include "base/pool.h"
#include "plan/types.h"

/* Floats of scratch for k inputs; tasks that a layer is cut into. */
size_t vgg_sparse_linear_count_scratch(int k, int images);
int vgg_sparse_linear_count_groups(const struct vgg_step *step, int threads);
/* Runs such a layer.
 *   layer  all of its rows, for any number of images; the weights are the step's */
void vgg_sparse_linear_run(const struct vgg_executor *executor, const struct vgg_step *step,
                           const struct vgg_linear_args *layer, float *scratch);

#endif
