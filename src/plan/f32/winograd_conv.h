/* SPDX-License-Identifier: MIT */
/* Running Winograd convolutions. */
#ifndef VGG_PLAN_F32_WINOGRAD_CONV_H
#define VGG_PLAN_F32_WINOGRAD_CONV_H

#include "base/pool.h"
#include "plan/types.h"

void vgg_winograd_run(struct vgg_executor *executor, const struct vgg_step *step);

#endif
