/* SPDX-License-Identifier: MIT */
/* The oracle of the kernels in general_kernels.h, in plain loops and double precision. Used by tests only. */
#ifndef VGG_KERNELS_REF_GENERAL_H
#define VGG_KERNELS_REF_GENERAL_H

#include "kernels/general_kernels.h"

/* Windows that move over an image of `in` pixels with padding; `out` of them. */
struct vgg_ref_window {
    struct vgg_sides in, out, kernel, stride, dilation, before, after;
};

/* y[oh][ow] of one output channel; x [ic][ih][iw], weight [ic][kh][kw]. magnitude has y's shape. */
void vgg_ref_general_conv(const struct vgg_ref_window *window, int ic, const float *x,
                          const float *weight, float bias, double *y, double *magnitude);

/* y[oh][ow] of one channel x [ih][iw]. */
void vgg_ref_general_pool(const struct vgg_ref_window *window, int average, int count_padding,
                          const float *x, double *y, double *magnitude);

/* y[oh][ow] of one channel x [ih][iw], as nn.AdaptiveMaxPool2d((oh, ow)) defines it. */
void vgg_ref_adaptive_max_pool(struct vgg_sides in, struct vgg_sides out, const float *x,
                               double *y);

/* Products that float32 cannot hold are infinite. */
double vgg_ref_function(enum vgg_function function, double x, double slope);

#endif
