/* SPDX-License-Identifier: MIT */
/* Parses the names of weights: the Sequential that contains them, and their index in it. */
#ifndef VGG_MODEL_INFER_WEIGHT_NAMES_H
#define VGG_MODEL_INFER_WEIGHT_NAMES_H

#include <stdbool.h>

#include "model/spec/spec.h"
#include "model/graph/tensors.h"

/* Whether name is SEQUENTIAL.N.weight, with N as Python prints it.
 *   length  receives that of SEQUENTIAL, which may contain dots */
bool vgg_names_parse(const char *name, size_t *length, int *index);

/* Whether name is SEQUENTIAL.N.weight for this sequential. */
bool vgg_names_is_weight(const char *name, const char *sequential, int *index);

/* Whether there is a weight SEQUENTIAL.N.weight, or SEQUENTIAL.weight for a linear layer, of ndim dimensions. */
bool vgg_names_has(const struct vgg_tensor_list *tensors, const char *sequential, int ndim);

/* Sets out->features and out->classifier if the tensors have other names than torchvision's: if no convolution is
 * called features.N.weight but all of them are in one Sequential, and likewise for the linear layers; a single
 * linear layer need not be in a Sequential. Otherwise leaves them unchanged.
 * Errors: MEMORY. */
vgg_status vgg_names_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_spec *out);

#endif
