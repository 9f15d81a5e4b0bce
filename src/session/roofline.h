/* What the machine can do at most. */
#ifndef VGG_SESSION_ROOFLINE_H
#define VGG_SESSION_ROOFLINE_H

#include "base/pool.h"
#include "plan/types.h"

/* See vgg_session_measure_roof. */
void vgg_plan_measure_roof(const struct vgg_plan *plan, struct vgg_pool *pool,
                           struct vgg_roof *roof);

#endif
