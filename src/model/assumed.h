/* SPDX-License-Identifier: MIT */
/* Describes what a model assumes because neither its files nor the caller specify it. */
#ifndef VGG_MODEL_ASSUMED_H
#define VGG_MODEL_ASSUMED_H

#include "model/model_types.h"

/* Sets model->assumed, the text of vgg_model_info.
 *   shapes  [graph.count] each node's output for the model's input size
 * Errors: MEMORY. */
vgg_status vgg_model_describe_assumed(vgg_model *model, const struct vgg_shape *shapes,
                                      struct vgg_error *err);

#endif
