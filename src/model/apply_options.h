/* SPDX-License-Identifier: MIT */
/* Applies a caller's options to a model's description. */
#ifndef VGG_MODEL_APPLY_OPTIONS_H
#define VGG_MODEL_APPLY_OPTIONS_H

#include "model/model_types.h"

/* Changes the description's preprocessing and labels, and the model's input size.
 * Errors: ARGUMENT, MISMATCH (labels for another number of classes), IO, FORMAT, LIMIT, MEMORY. */
vgg_status vgg_model_apply_options(vgg_model *model, const struct vgg_model_options *options,
                                   const struct vgg_limits *limits, struct vgg_error *err);

#endif
