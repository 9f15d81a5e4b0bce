/* From a description to the nodes of the net, and the weights to the nodes. */
#ifndef VGG_MODEL_GRAPH_BUILD_H
#define VGG_MODEL_GRAPH_BUILD_H

#include "model/graph/graph.h"
#include "model/spec/spec.h"
#include "model/graph/tensors.h"

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

/* Points the nodes to their weights, found by name. num_batches_tracked, which BatchNorm2d keeps but
 * does not use, may be there and is ignored.
 *   path  for messages
 *   name  the net's, for messages
 * Errors: MISMATCH, one message for all missing, unexpected and wrongly shaped or typed tensors;
 * MEMORY. */
vgg_status vgg_graph_bind(const char *path, const char *name, const struct vgg_tensor_list *tensors,
                          struct vgg_graph *graph, struct vgg_error *err);

/* Turns a bound net into the one that the paper evaluates densely: its average pool goes, each linear layer
 * becomes the convolution with the same weights, the first one with windows of the average pool's size, and at
 * the end the class scores of all positions are averaged. It then takes any picture in which the features leave
 * room for one window.
 * Errors: MEMORY. */
vgg_status vgg_graph_make_dense(const char *path, struct vgg_graph *graph, struct vgg_arena *arena,
                                struct vgg_error *err);

/* Refuses NaN, infinities and negative variances: UNSUPPORTED.
 *   all  every element; else no more than about a thousand of each tensor, spread from the first to the
 *        last, so that most pages of the file are not read */
vgg_status vgg_graph_check_numbers(const char *path, const struct vgg_graph *graph, bool all,
                                   struct vgg_error *err);

/* Refuses weights that are much larger than their bytes in the file, by strides of 0 or by lying in the
 * same bytes: LIMIT. Also MEMORY. */
vgg_status vgg_graph_check_memory(const char *path, const struct vgg_graph *graph,
                                  const struct vgg_limits *limits, struct vgg_arena *arena,
                                  struct vgg_error *err);

/* How many of the graph's parameters exist under their names, whatever their shapes. */
size_t vgg_graph_count_found(const struct vgg_graph *graph, const struct vgg_tensor_list *tensors);

#endif
