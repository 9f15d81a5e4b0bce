/* SPDX-License-Identifier: MIT */
/* Lists what a model assumes because neither its files nor the caller specify it. */
#ifndef VGG_MODEL_ASSUMED_H
#define VGG_MODEL_ASSUMED_H

#include "model/model_types.h"

/* Sets model->assumed to all assumptions, shortest first, and adds those that depend on the model's input size.
 *   shapes  [graph.count] the nodes' outputs for that size
 * Errors: MEMORY. */
vgg_status vgg_model_list_assumed(vgg_model *model, const struct vgg_shape *shapes,
                                  struct vgg_error *err);

#endif
