/* SPDX-License-Identifier: MIT */
/* Fully connected layers that are stored as filters, as in timm's VGG. */
#ifndef VGG_MODEL_GRAPH_FILTER_HEAD_H
#define VGG_MODEL_GRAPH_FILTER_HEAD_H

#include "model/graph/build.h"
#include "vgg/checkpoint.h"

/* Looks whether the first linear layer of a bound net is a filter of the size of the average pool before it, which then
 * moves over larger features: they are not averaged. */
void vgg_graph_find_filters(const vgg_checkpoint *checkpoint, struct vgg_graph *graph);

/* Whether such a net's features are larger than the filter, for an input of this shape. */
bool vgg_graph_exceeds_filters(const struct vgg_graph *graph, struct vgg_shape input);

#endif
