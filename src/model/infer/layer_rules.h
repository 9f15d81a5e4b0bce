/* SPDX-License-Identifier: MIT */
/* Checks that hold for the layers of every inferred net, however its layers are named. */
#ifndef VGG_MODEL_INFER_LAYER_RULES_H
#define VGG_MODEL_INFER_LAYER_RULES_H

#include "base/load.h"
#include "model/graph/tensors.h"
#include "model/spec/cfg.h"
#include "model/spec/spec.h"

/* Refuses a convolution that is neither 3x3 nor 1x1: UNSUPPORTED. Larger kernels occur in other nets (AlexNet's
 * first is 11x11), whose strides names cannot show. */
vgg_status vgg_infer_check_kernel(const struct vgg_load *load, const struct vgg_tensor *weight);

/* Reads a side of a weight as a number of channels or features. Errors: LIMIT. */
vgg_status vgg_infer_read_width(const struct vgg_load *load, const struct vgg_tensor *weight,
                                int dim, int *out);

/* Refuses another number of convolutions than cfg's: MISMATCH.
 *   first, last  the weights of the convolutions that were found, for the message */
vgg_status vgg_infer_check_count(const struct vgg_load *load, const struct vgg_cfg *cfg,
                                 size_t count, const struct vgg_tensor *first,
                                 const struct vgg_tensor *last);

/* Refuses a convolution with other output channels than an entry of cfg: MISMATCH. */
vgg_status vgg_infer_check_entry(const struct vgg_load *load, const struct vgg_cfg *cfg,
                                 size_t entry, const struct vgg_tensor *weight);

/* Computes the side of the average pool: the pool turns the last convolution's channels into the first linear
 * layer's in_features. Errors: MISMATCH (not a square number of pixels), LIMIT. */
vgg_status vgg_infer_avgpool(const struct vgg_load *load, const struct vgg_tensor *conv,
                             const struct vgg_tensor *linear, int *side);

/* Sets what names and shapes leave open: the input size.
 *   assumed  text on the layers that is copied to the description; "" for none
 * Errors: MEMORY. */
vgg_status vgg_infer_finish(const struct vgg_load *load, const char *assumed,
                            struct vgg_spec *spec);

#endif
