/* SPDX-License-Identifier: MIT */
/* The classes of PyTorch that can be run, by name. */
#ifndef VGG_MODEL_SPEC_MODULE_TYPES_H
#define VGG_MODEL_SPEC_MODULE_TYPES_H

#include "model/spec/layer.h"

/* PyTorch's default for BatchNorm. */
#define VGG_DEFAULT_EPS 1e-5

/* Finds the kind of layer that a class makes: "Conv2d" a convolution. False: the class is not known. */
bool vgg_module_type_find(const char *type, enum vgg_layer_kind *kind);

/* The activation of a class, with PyTorch's defaults. RELU if the class is no activation. */
struct vgg_activation_layer vgg_activation_find(const char *type);

/* The class of an activation: "LeakyReLU". */
const char *vgg_activation_name(enum vgg_activation_kind kind);

/* The class of a layer: "Conv2d". BatchNorm is BatchNorm2d, the identity Dropout. */
const char *vgg_layer_type(const struct vgg_layer *layer);

#endif
