/* SPDX-License-Identifier: MIT */
/* Softmax and its logarithm, over the channels of each pixel or over features. */
#ifndef VGG_PLAN_F32_SOFTMAX_H
#define VGG_PLAN_F32_SOFTMAX_H

#include "plan/types.h"

void vgg_softmax_run(struct vgg_executor *executor, const struct vgg_step *step);

#endif
