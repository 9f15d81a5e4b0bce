/* The choice of a convolution's algorithm. */
#ifndef VGG_PLAN_F32_CHOOSE_CONV_H
#define VGG_PLAN_F32_CHOOSE_CONV_H

#include "plan/types.h"

/* Chooses the algorithm of a convolution; the reason is kept in the plan's arena.
 *   planar   the input is not blocked
 * False when a packed file has its weights in other orders only than those that may be read. */
bool vgg_choose_conv(struct vgg_plan *plan, const struct vgg_conv2d *conv, struct vgg_shape in,
                     bool planar, struct vgg_conv_choice *choice);

#endif
