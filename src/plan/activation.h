/* SPDX-License-Identifier: MIT */
/* Activations: adding them to a plan, the padding around them, and copies in NCHW. */
#ifndef VGG_PLAN_ACTIVATION_H
#define VGG_PLAN_ACTIVATION_H

#include "plan/types.h"

/* Adds an activation of float32, whose padding, strides and place are still open; returns its index.
 *   lanes  channels side by side; 1: NCHW or features */
int vgg_plan_add_activation(struct vgg_plan *plan, struct vgg_shape shape, int lanes);

/* Gives each activation the padding that the convolution reading it needs. */
void vgg_plan_set_padding(struct vgg_plan *plan);

/* Writes the zeros around rows begin … end-1 of a block, with the corners at the plane's top and bottom. */
void vgg_activation_clear_padding(const struct vgg_activation *activation, void *block, int begin,
                                  int end);

/* Copies one image of an activation as NCHW. */
void vgg_activation_to_nchw(const struct vgg_activation *activation, int image, float *out);

#endif
