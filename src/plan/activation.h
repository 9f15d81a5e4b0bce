/* Activations: padding around them, and copies in another layout. */
#ifndef VGG_PLAN_ACTIVATION_H
#define VGG_PLAN_ACTIVATION_H

#include "plan/types.h"

/* Gives each activation the frame that the convolution reading it needs; a part of fusing. */
void vgg_plan_frame(struct vgg_plan *plan);

/* Writes the frame of zeros round rows begin … end-1 of a block, with the corners at the plane's top
 * and bottom. */
void vgg_activation_clear_frame(const struct vgg_activation *activation, void *block, int begin,
                                int end);

/* Copies one picture of an activation as planar [c][h][w]. */
void vgg_activation_to_planar(const struct vgg_activation *activation, int picture, float *out);

#endif
