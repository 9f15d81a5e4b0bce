/* SPDX-License-Identifier: MIT */
/* The type of a read-only view of a model. */
#ifndef VGG_MODEL_VIEW_TYPES_H
#define VGG_MODEL_VIEW_TYPES_H

#include "base/shared.h"
#include "model/graph/graph.h"
#include "model/spec/spec.h"
#include "vgg/model.h"

/* Filled once, when the model is created; all pointers are borrowed from the model. */
struct vgg_model_view {
    /* The checkpoint's path, for messages. */
    const char *path;
    /* The log callback and allocator that the checkpoint was opened with. */
    const struct vgg_context *context;
    /* What the public API reports about the net. */
    struct vgg_model_info info;
    /* The description, as the model's options have changed it. */
    const struct vgg_spec *spec;
    /* [node_count] in order of execution; each node reads only the output of the node before it. */
    const struct vgg_node *nodes;
    size_t node_count;
    /* [node_count] what the public API reports about each node. */
    const struct vgg_node_info *node_infos;
    /* The input size that the net is made for. */
    struct vgg_shape input;
    /* The bytes of all the net's tensors in memory, at most UINT64_MAX. */
    uint64_t weight_bytes;
    /* The plans that the model's sessions share. */
    struct vgg_shared *plans;
};

#endif
