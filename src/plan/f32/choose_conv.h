/* SPDX-License-Identifier: MIT */
/* The choice of a convolution's algorithm. */
#ifndef VGG_PLAN_F32_CHOOSE_CONV_H
#define VGG_PLAN_F32_CHOOSE_CONV_H

#include "plan/types.h"

/* Chooses the algorithm; the reason is allocated in the plan's arena. False if a packed file has the weights only in orders
 * that no allowed algorithm can read. */
bool vgg_choose_conv(struct vgg_plan *plan, const struct vgg_conv_request *request,
                     struct vgg_conv_choice *choice);

#endif
