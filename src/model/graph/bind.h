/* SPDX-License-Identifier: MIT */
/* Finds the tensors of a graph by name. */
#ifndef VGG_MODEL_GRAPH_BIND_H
#define VGG_MODEL_GRAPH_BIND_H

#include "model/graph/build.h"
#include "model/graph/tensors.h"

/* Points the nodes to their weights, found by name. num_batches_tracked, which BatchNorm2d keeps but does not
 * use, and optional tensors are ignored where they are present.
 *   path  for messages
 *   name  the net's, for messages
 * Errors: MISMATCH, one message for all missing, unexpected and wrongly shaped or typed tensors; MEMORY. */
vgg_status vgg_graph_bind(const char *path, const char *name, const struct vgg_tensor_list *tensors,
                          struct vgg_graph *graph, struct vgg_error *err);

/* The number of the graph's parameters whose names exist among the tensors, whatever their shapes. */
size_t vgg_graph_count_found(const struct vgg_graph *graph, const struct vgg_tensor_list *tensors);

#endif
