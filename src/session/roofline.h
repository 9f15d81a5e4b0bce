/* SPDX-License-Identifier: MIT */
/* The machine's peak performance. */
#ifndef VGG_SESSION_ROOFLINE_H
#define VGG_SESSION_ROOFLINE_H

#include "base/pool.h"
#include "plan/types.h"

/* See vgg_session_measure_peak. */
void vgg_plan_measure_peak(const struct vgg_plan *plan, struct vgg_pool *pool,
                           struct vgg_peak *out);

#endif
