/* SPDX-License-Identifier: MIT */
/* What the public API reports about a node: its shape, parameters and operations. */
#ifndef VGG_MODEL_GRAPH_NODE_INFO_H
#define VGG_MODEL_GRAPH_NODE_INFO_H

#include "model/graph/graph.h"
#include "vgg/model.h"

/* Fills *info for a node with this output shape. */
void vgg_node_get_info(const struct vgg_node *node, struct vgg_shape shape,
                       struct vgg_node_info *info);

#endif
