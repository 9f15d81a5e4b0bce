/* A read-only view of a model: everything that a session, a packer or a report needs to know about it. */
#ifndef VGG_MODEL_VIEW_H
#define VGG_MODEL_VIEW_H

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

const struct vgg_model_view *vgg_model_get_view(const vgg_model *model);

/* Fills the view of a model whose description and graph are complete.
 * Errors: MEMORY. */
vgg_status vgg_model_fill_view(vgg_model *model, struct vgg_error *err);

/* Refuses an image size that the net cannot take: MISMATCH with the first node that cannot take it and the
 * smallest square image that the net can. */
vgg_status vgg_model_check_size(const vgg_model *model, int height, int width,
                                struct vgg_error *err);

static inline const struct vgg_node *vgg_model_get_nodes(const vgg_model *model, size_t *count)
{
    *count = vgg_model_get_view(model)->node_count;
    return vgg_model_get_view(model)->nodes;
}
static inline const char *vgg_model_get_path(const vgg_model *model)
{
    return vgg_model_get_view(model)->path;
}
static inline const struct vgg_context *vgg_model_get_context(const vgg_model *model)
{
    return vgg_model_get_view(model)->context;
}
static inline const struct vgg_spec *vgg_model_get_spec(const vgg_model *model)
{
    return vgg_model_get_view(model)->spec;
}
static inline struct vgg_shape vgg_model_get_input_shape(const vgg_model *model)
{
    return vgg_model_get_view(model)->input;
}

#endif
