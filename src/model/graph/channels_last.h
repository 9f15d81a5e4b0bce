/* SPDX-License-Identifier: MIT */
/* Features that are flattened in the order height, width, channels, as in nets that come from Keras. */
#ifndef VGG_MODEL_GRAPH_CHANNELS_LAST_H
#define VGG_MODEL_GRAPH_CHANNELS_LAST_H

#include "base/load.h"
#include "model/graph/build.h"
#include "model/spec/spec_types.h"

/* Lets the weights that take such features take them in the order channels, height, width, in which all nets run.
 * Errors: UNSUPPORTED (packed weights), MISMATCH, MEMORY. */
vgg_status vgg_graph_reorder_features(const struct vgg_load *load, const struct vgg_spec *spec,
                                      struct vgg_graph *graph);

#endif
