/* SPDX-License-Identifier: MIT */
/* What a convolution takes by a model of the machine: arithmetic, transforms, and weights against caches and memory.
 * The model must get the order of the candidates right, not the microseconds. */
#ifndef VGG_PLAN_F32_CONV_COST_H
#define VGG_PLAN_F32_CONV_COST_H

#include "plan/types.h"

/* A convolution as the model sees it. */
struct vgg_conv_load {
    double ic, oc;  /* padded to whole blocks and groups */
    double pixels;  /* of the output, of the whole batch */
    double kernel;  /* side of a filter */
    double group;   /* output channels computed together */
    double v_bytes; /* of a number of transformed input */
    double threads;
    double batch;
};

/* Milliseconds of a run. */
double vgg_conv_cost_direct(const struct vgg_kernels *kernels, const struct vgg_conv_load *load);
double vgg_conv_cost_winograd(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                              const struct vgg_conv_choice *choice);

/* Milliseconds that prepacking the weights takes.
 *   side  of the transformed filters; 0: none are transformed */
double vgg_conv_cost_prepack(const struct vgg_kernels *kernels, const struct vgg_conv_load *load,
                             double side);

#endif
