/* SPDX-License-Identifier: MIT */
/* A read-only view of a model: everything that a session, a packer or a report needs to know about it. */
#ifndef VGG_MODEL_VIEW_H
#define VGG_MODEL_VIEW_H

#include "model/view_types.h"

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
