/* SPDX-License-Identifier: MIT */
/* Defaults for what a description leaves open, and the comparison of two descriptions. */
#ifndef VGG_MODEL_SPEC_DEFAULTS_H
#define VGG_MODEL_SPEC_DEFAULTS_H

#include "model/spec/spec_types.h"

/* The input side at which the features end exactly as large as the average pool's output, so that the pool
 * changes nothing: 224 for torchvision's nets, 32 for nets made for CIFAR. */
int vgg_spec_natural_input(const struct vgg_spec *spec);

/* The preprocessing for an input side when nothing else is known: the preset "imagenet" for 224, "cifar" for
 * 32, otherwise "custom": resize and crop to that side, ImageNet's mean and std. */
vgg_status vgg_spec_default_preprocess(int input, struct vgg_preprocess *out,
                                       struct vgg_error *err);

/* Whether two nets have the same convolutions with the same pools between them. A pool after the last
 * convolution is not compared: it has no weights and leaves no gap in the numbering, so names cannot show it. */
bool vgg_spec_same_features(const struct vgg_spec *a, const struct vgg_spec *b);

#endif
