/* SPDX-License-Identifier: MIT */
/* The public functions that report what a model is. */
#include "model/graph/check_weights.h"
#include "model/model_types.h"

void vgg_model_get_info(const vgg_model *model, struct vgg_model_info *info)
{
    *info = model->view.info;
}

const struct vgg_preprocess *vgg_model_get_preprocess(const vgg_model *model)
{
    return &model->view.spec->preprocess;
}

const char *vgg_model_get_label(const vgg_model *model, int index)
{
    const struct vgg_labels *labels = &model->view.spec->labels;
    return index >= 0 && (size_t)index < labels->count ? labels->names[index] : NULL;
}

size_t vgg_model_get_node_count(const vgg_model *model)
{
    return model->view.node_count;
}

void vgg_model_get_node(const vgg_model *model, size_t index, struct vgg_node_info *info)
{
    *info = model->view.node_infos[index];
}

vgg_status vgg_model_check_classifier(const vgg_model *model, struct vgg_error *err)
{
    return vgg_graph_check_numbers(model->path, &model->graph, false, err);
}

vgg_status vgg_model_check_weights(const vgg_model *model, struct vgg_error *err)
{
    return vgg_graph_check_numbers(model->path, &model->graph, true, err);
}
