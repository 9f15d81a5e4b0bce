/* Builds the nodes of a net from its description. */
#ifndef VGG_MODEL_GRAPH_BUILD_H
#define VGG_MODEL_GRAPH_BUILD_H

#include "model/graph/graph.h"
#include "model/spec/spec.h"

/* A tensor that the net needs, and where its node keeps it. */
struct vgg_parameter {
    const char *name; /* "features.0.weight" */
    int64_t shape[4];
    int ndim;
    bool
        exact; /* of an int8 net: type and layout must be these; else any floating-point type will do */
    enum vgg_dtype dtype;
    enum vgg_layout layout;
    const struct vgg_tensor **slot;
};

struct vgg_graph {
    struct vgg_node *nodes; /* [count], in order of execution */
    size_t count;
    struct vgg_parameter *parameters; /* [parameter_count], in order of execution */
    size_t parameter_count;
    size_t classifier_begin;           /* index of the classifier's first parameter */
    const struct vgg_context *context; /* of the arena that owns them */
};

/* The nodes of a description, named by their module paths in torchvision's VGG, weights NULL.
 *   path   for messages
 *   arena  owns everything *out points to
 * Errors: UNSUPPORTED (indices in the classifier that ReLU and Dropout cannot fill), LIMIT, MEMORY. */
vgg_status vgg_graph_build(const char *path, const struct vgg_spec *spec,
                           const struct vgg_limits *limits, struct vgg_arena *arena,
                           struct vgg_graph *out, struct vgg_error *err);

#endif
