/* SPDX-License-Identifier: MIT */
/* Turns a net into its dense evaluation. */
#ifndef VGG_MODEL_GRAPH_MAKE_DENSE_H
#define VGG_MODEL_GRAPH_MAKE_DENSE_H

#include "model/graph/build.h"

/* Turns a bound net into the one that the VGG paper evaluates densely. The average pool is removed; each linear
 * layer becomes a convolution with the same weights, the first one with windows of the average pool's size; at
 * the end the class scores of all positions are averaged. The net then takes any image whose features are at
 * least as large as one window.
 * Errors: MEMORY. */
vgg_status vgg_graph_make_dense(const char *path, struct vgg_graph *graph, struct vgg_arena *arena,
                                struct vgg_error *err);

#endif
