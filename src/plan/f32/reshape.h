/* SPDX-License-Identifier: MIT */
/* Steps that move pixels and compute nothing. */
#ifndef VGG_PLAN_F32_RESHAPE_H
#define VGG_PLAN_F32_RESHAPE_H

#include "plan/types.h"

/* Puts the image into the middle of zeros; negative margins cut it. */
void vgg_zero_pad_run(struct vgg_executor *executor, const struct vgg_step *step);

/* The caller's input from NCHW to NCHWc. */
void vgg_order_input_run(struct vgg_executor *executor, const struct vgg_step *step);

#endif
