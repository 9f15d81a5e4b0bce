/* SPDX-License-Identifier: MIT */
/* Fully connected layers with column-major weights: the weights of zero inputs are not read. */
#ifndef VGG_PLAN_F32_SPARSE_LINEAR_H
#define VGG_PLAN_F32_SPARSE_LINEAR_H

#include "base/pool.h"
#include "plan/types.h"

/* Floats of scratch for k inputs of some images. */
size_t vgg_sparse_linear_count_scratch(int k, int images);
/* Tasks that a layer is cut into. */
int vgg_sparse_linear_count_groups(const struct vgg_step *step, int threads);
/* Runs a layer.
 *   layer  all rows, for any number of images; its weights are those of the step */
void vgg_sparse_linear_run(const struct vgg_executor *executor, const struct vgg_step *step,
                           const struct vgg_linear_args *layer, float *scratch);

#endif
