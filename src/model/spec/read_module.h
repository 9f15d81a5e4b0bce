/* SPDX-License-Identifier: MIT */
/* Reads one layer of a description that is written as a PyTorch module: {"type": "Conv2d", "out_channels": 64, …}. */
#ifndef VGG_MODEL_SPEC_READ_MODULE_H
#define VGG_MODEL_SPEC_READ_MODULE_H

#include "base/json.h"
#include "base/load.h"
#include "model/spec/spec_types.h"

/* The keys are the arguments of the module's constructor, with PyTorch's defaults; `name` is the module's path.
 *   out  receives the layer; channels and features that the layers before it decide stay 0
 * Errors: FORMAT with the key, LIMIT, MEMORY. */
vgg_status vgg_read_module(const struct vgg_load *load, const char *key,
                           const struct vgg_json *item, struct vgg_layer *out);

/* Reads the order of features after Flatten, "chw" or "hwc". NULL: PyTorch's, "chw". Errors: FORMAT. */
vgg_status vgg_read_order(const struct vgg_load *load, const char *key, const char *text,
                          struct vgg_flatten_layer *out);

#endif
