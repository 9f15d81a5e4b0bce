/* Fully connected layers on every window of a picture. */
#ifndef VGG_PLAN_F32_DENSE_LINEAR_H
#define VGG_PLAN_F32_DENSE_LINEAR_H

#include "base/pool.h"
#include "plan/types.h"

/* The choice has their scratch, which fits a
 * quarter of the plan's activation limit where one window does. */
void vgg_dense_choose(const struct vgg_plan *plan, const struct vgg_conv2d *conv,
                      struct vgg_shape in, struct vgg_conv_choice *choice);
void vgg_dense_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                   int count);

#endif
