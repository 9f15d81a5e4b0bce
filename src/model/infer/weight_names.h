/* The names of weights: which Sequential they are in, and where. */
#ifndef VGG_MODEL_INFER_WEIGHT_NAMES_H
#define VGG_MODEL_INFER_WEIGHT_NAMES_H

#include <stdbool.h>

#include "model/spec/spec.h"
#include "model/graph/tensors.h"

/* Whether name is SEQUENTIAL.N.weight, with N as Python prints it.
 *   length  of SEQUENTIAL, which may hold points */
bool vgg_names_parse(const char *name, size_t *length, int *index);

/* Whether name is SEQUENTIAL.N.weight for this sequential. */
bool vgg_names_is_weight(const char *name, const char *sequential, int *index);

/* Whether there is a weight SEQUENTIAL.N.weight, or SEQUENTIAL.weight for a linear layer, of ndim dimensions. */
bool vgg_names_has(const struct vgg_tensor_list *tensors, const char *sequential, int ndim);

/* Sets out->features and out->classifier where the tensors have other names than torchvision's: if there is
 * no convolution features.N.weight but all there are lie in one Sequential, and likewise for the linear
 * layers, of which a single one need not lie in any. Left alone otherwise.
 * Errors: MEMORY. */
vgg_status vgg_names_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_spec *out);

#endif
