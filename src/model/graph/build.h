/* SPDX-License-Identifier: MIT */
/* Builds the nodes of a net from its description. */
#ifndef VGG_MODEL_GRAPH_BUILD_H
#define VGG_MODEL_GRAPH_BUILD_H

#include "base/load.h"
#include "model/graph/graph.h"
#include "model/spec/spec.h"

/* A tensor that the net needs, and the field of its node that receives it. */
struct vgg_parameter {
    /* "features.0.weight" */
    const char *name;
    int64_t shape[4];
    int ndim;
    /* True in an int8 net: the tensor must have exactly this type and layout. False: any floating-point type. */
    bool exact;
    enum vgg_dtype dtype;
    enum vgg_layout layout;
    const struct vgg_tensor **slot;
};

/* Both lists are in order of execution. */
struct vgg_graph {
    struct vgg_node *nodes;
    size_t count;
    struct vgg_parameter *parameters;
    size_t parameter_count;
    /* Index of the classifier's first parameter. */
    size_t classifier_begin;
    /* The context of the arena that owns the lists. */
    const struct vgg_context *context;
};

/* Makes the nodes of a description, one for each layer, with its name and with all weights NULL.
 * Errors: LIMIT, MEMORY. */
vgg_status vgg_graph_build(const struct vgg_load *load, const struct vgg_spec *spec,
                           struct vgg_graph *out);

#endif
