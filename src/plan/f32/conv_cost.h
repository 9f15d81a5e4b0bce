/* SPDX-License-Identifier: MIT */
/* A cost model of convolutions: arithmetic, transforms, and weights from caches and memory. It must rank the candidates
 * right; the predicted times need not be exact. */
#ifndef VGG_PLAN_F32_CONV_COST_H
#define VGG_PLAN_F32_CONV_COST_H

#include "plan/types.h"

/* A convolution as the model sees it. */
struct vgg_conv_load {
    /* Padded to whole blocks and groups. */
    double ic, oc;
    /* Output pixels of the whole batch. */
    double pixels;
    /* The side of a filter. */
    double kernel;
    /* Output channels that are computed together. */
    double group;
    /* Bytes of a number in V. */
    double v_bytes;
    double threads;
    double batch;
};

/* Milliseconds of a run. */
double vgg_conv_cost_direct(const struct vgg_kernels *kernels, const struct vgg_conv_load *load);
double vgg_conv_cost_winograd(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                              const struct vgg_conv_choice *choice);

/* Milliseconds of prepacking the weights.
 *   side  of the transformed filters; 0: filters are not transformed */
double vgg_conv_cost_prepack(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                             double side);

#endif
