/* SPDX-License-Identifier: MIT */
/* Defaults for what a description leaves open: input size and preprocessing. */
#ifndef VGG_MODEL_SPEC_DEFAULTS_H
#define VGG_MODEL_SPEC_DEFAULTS_H

#include "model/spec/spec_types.h"

/* The smallest input at which the features end exactly as large as the classifier takes them, so that an adaptive pool
 * changes nothing: 224x224 for torchvision's nets, 32x32 for nets made for CIFAR. {0, 0} if the layers do not say how
 * large the features end. */
struct vgg_pixels vgg_spec_natural_input(const struct vgg_spec *spec);

/* The size of the features that the first linear layer takes: the adaptive pool's output, or the square root of the
 * linear layer's features per channel. {0, 0}: unknown.
 *   at  NULL, or receives the index of the layer that the features enter */
struct vgg_pixels vgg_spec_feature_size(const struct vgg_spec *spec, size_t *at);

/* The preprocessing for an input size when nothing else is known: the preset "imagenet" for 224, "cifar" for 32,
 * otherwise "custom": resize and crop to that size, ImageNet's mean and std. */
vgg_status vgg_spec_default_preprocess(struct vgg_pixels input, struct vgg_preprocess *out,
                                       struct vgg_error *err);

#endif
