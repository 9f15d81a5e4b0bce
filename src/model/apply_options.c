/* SPDX-License-Identifier: MIT */
/* Applies a caller's options to a model's description. */
#include "model/apply_options.h"

#include <string.h>

#include "model/apply_preprocess.h"

/* Replaces the description's preprocessing by a preset. */
static vgg_status apply_preset(vgg_model *model, const char *preset, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    if (preset == NULL || strcmp(preset, "auto") == 0) {
        return VGG_OK;
    }
    vgg_status status = vgg_preprocess_find(preset, &spec->preprocess, err);
    spec->assumed_preprocess = false;
    if (status == VGG_OK && spec->preprocess.crop > 0) {
        spec->input = spec->preprocess.crop;
        spec->assumed_input = false;
    }
    return status;
}

/* The channels of the first convolution's input. */
static int get_channels(const struct vgg_graph *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->nodes[i].op == VGG_OP_CONV2D) {
            return (int)graph->nodes[i].conv.weight->shape[1];
        }
    }
    return 3;
}

/* Applies the options that change single properties of the preprocessing. */
static vgg_status apply_properties(vgg_model *model, const struct vgg_model_options *options,
                                   struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    model->height = model->width = spec->input;
    model->channels = get_channels(&model->graph);
    vgg_status status =
        vgg_preprocess_apply_sizes(options, &spec->preprocess, &model->height, &model->width, err);
    if (status == VGG_OK) {
        status = vgg_preprocess_apply_values(options, model->channels, &spec->preprocess, err);
    }
    if (vgg_preprocess_gives_size(options)) {
        spec->assumed_input = false;
    }
    if (vgg_preprocess_gives_values(options)) {
        spec->assumed_preprocess = false;
    }
    return status;
}

/* Reads the caller's class names. Those of a built-in list need no file, whatever the folder holds. */
static vgg_status apply_labels(vgg_model *model, const char *name, const struct vgg_limits *limits,
                               struct vgg_error *err)
{
    struct vgg_labels *labels = &model->spec.labels;
    const int classes = vgg_spec_get_classes(&model->spec);
    const struct vgg_load load = {
        .path = name, .limits = limits, .arena = &model->arena, .err = err};
    vgg_status status = vgg_labels_is_builtin(name)
                            ? vgg_labels_find(name, &model->arena, labels, err)
                            : vgg_labels_open(&load, labels);
    if (status == VGG_OK) {
        status = vgg_labels_fit(name, classes, &model->arena, labels, err);
    } else {
        return status;
    }
    return status == VGG_ERR_MISMATCH
               ? vgg_fail(err, status, "%s: expected %d label%s, the classes of %s, found %zu",
                          name, classes, classes == 1 ? "" : "s", model->path, labels->count)
               : status;
}

vgg_status vgg_model_apply_options(vgg_model *model, const struct vgg_model_options *options,
                                   const struct vgg_limits *limits, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    int classes = vgg_spec_get_classes(spec);
    vgg_status status = apply_preset(model, options->preset, err);
    if (status == VGG_OK) {
        status = apply_properties(model, options, err);
    }
    if (status == VGG_OK && options->labels_path != NULL) {
        status = apply_labels(model, options->labels_path, limits, err);
    } else if (status == VGG_OK && spec->labels.count == 0 && classes == 1000) {
        status = vgg_labels_find("imagenet", &model->arena, &spec->labels, err);
    }
    return status;
}
