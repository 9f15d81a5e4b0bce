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

/* Sets the preprocessing for the net's input when nothing else is known: the preset "imagenet" for 3x224x224, "cifar" for
 * 3x32x32; otherwise what most people write for nets of their own: the whole image is resized to the input's size,
 * whatever its aspect, and pixels are scaled to 0…1. */
vgg_status vgg_spec_default_preprocess(struct vgg_spec *spec, struct vgg_error *err);

#endif
