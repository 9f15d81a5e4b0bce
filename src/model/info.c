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

const char *vgg_evidence_source_string(enum vgg_evidence_source source)
{
    static const char *const names[] = {
        [VGG_EVIDENCE_USER] = "the caller",
        [VGG_EVIDENCE_MODULES] = "modules in the file",
        [VGG_EVIDENCE_FILE] = "a description or values in or beside the file",
        [VGG_EVIDENCE_PUBLISHED] = "a published net of the same shapes",
        [VGG_EVIDENCE_SHAPES] = "names and shapes",
        [VGG_EVIDENCE_CONVENTION] = "convention",
    };
    return names[source];
}

size_t vgg_model_get_evidence_count(const vgg_model *model)
{
    return model->spec.evidence.count;
}

void vgg_model_get_evidence(const vgg_model *model, size_t index, struct vgg_evidence *evidence)
{
    *evidence = model->spec.evidence.items[index];
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
