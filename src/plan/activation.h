/* SPDX-License-Identifier: MIT */
/* Activations: adding them to a plan, the padding around them, and copies in NCHW. */
#ifndef VGG_PLAN_ACTIVATION_H
#define VGG_PLAN_ACTIVATION_H

#include "plan/types.h"

/* Adds a float32 activation and returns its index; padding, strides and offset are set later.
 *   lanes  channels side by side; 1: NCHW or features */
int vgg_plan_add_activation(struct vgg_plan *plan, struct vgg_shape shape, int lanes);

/* Pixel (0, 0) of a block of image n, in an activation of float32 or of bytes. */
static inline float *vgg_activation_get_floats(const struct vgg_activation *activation, int n,
                                               int block)
{
    return activation->data + n * activation->n_stride + block * activation->block_stride;
}
static inline uint8_t *vgg_activation_get_bytes(const struct vgg_activation *activation, int n,
                                                int block)
{
    return activation->data_bytes + n * activation->n_stride + block * activation->block_stride;
}

/* Sets the padding of each activation to that of the convolution that reads it. */
void vgg_plan_set_padding(struct vgg_plan *plan);

/* Clears the padding around rows begin … end-1 of a block: left and right of them, and above the first or below the last
 * row of the plane. */
void vgg_activation_clear_padding(const struct vgg_activation *activation, void *block, int begin,
                                  int end);

/* Copies one image of an activation as NCHW. */
void vgg_activation_to_nchw(const struct vgg_activation *activation, int image, float *out);

#endif
