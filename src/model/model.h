/* A model: what the public functions share. */
#ifndef VGG_MODEL_MODEL_H
#define VGG_MODEL_MODEL_H

#include "model/graph/build.h"

struct vgg_model {
    struct vgg_context context; /* the checkpoint's */
    struct vgg_arena arena;     /* owns all that is pointed to, but the path and the tensors */
    const char *path;           /* the checkpoint's */
    const char *spec_source;
    const char *name;
    const char *assumed;
    int height, width; /* of the input */
    bool dense;
    struct vgg_spec spec;
    struct vgg_graph graph;
    struct vgg_shape
        *shapes; /* [graph.count] each node's output for an input of the model's size; all
                                 0 from the node on that it is too small for */
};

/* Changes the description, and the size of the input, as the caller asks for: preprocessing, size, labels.
 * Errors: ARGUMENT, MISMATCH (labels for another number of classes), IO, FORMAT, LIMIT, MEMORY. */
vgg_status vgg_model_apply_options(vgg_model *model, const struct vgg_model_options *options,
                                   const struct vgg_limits *limits, struct vgg_error *err);

#endif
