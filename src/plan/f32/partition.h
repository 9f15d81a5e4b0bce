/* How the work of each step is cut into tasks. */
#ifndef VGG_PLAN_F32_PARTITION_H
#define VGG_PLAN_F32_PARTITION_H

#include "plan/types.h"

/* Sets the steps' groups and chunks. */
void vgg_plan_choose(struct vgg_plan *plan, int threads);

#endif
