/* SPDX-License-Identifier: MIT */
/* Applies a caller's options to a model's description. */
#include "model/apply_options.h"

#include <string.h>

#include "model/apply_preprocess.h"
#include "model/note_preprocess.h"

/* Replaces the description's preprocessing by a preset. */
static vgg_status apply_preset(vgg_model *model, const char *preset, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    if (preset == NULL || strcmp(preset, "auto") == 0) {
        return VGG_OK;
    }
    vgg_status status = vgg_preprocess_find(preset, &spec->preprocess, err);
    if (status == VGG_OK && spec->preprocess.crop > 0) {
        spec->input = (struct vgg_pixels){spec->preprocess.crop, spec->preprocess.crop};
    }
    return status;
}

/* Applies the options that change single properties of the preprocessing. */
static vgg_status apply_properties(vgg_model *model, const struct vgg_model_options *options,
                                   struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    model->height = spec->input.h;
    model->width = spec->input.w;
    vgg_status status =
        vgg_preprocess_apply_sizes(options, &spec->preprocess, &model->height, &model->width, err);
    if (status == VGG_OK) {
        status = vgg_preprocess_apply_values(options, spec->channels, &spec->preprocess, err);
    }
    if (status == VGG_OK) {
        /* What is packed is the net of this input. */
        spec->input = (struct vgg_pixels){model->height, model->width};
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

/* The caller's class names are no assumption, whatever the description assumes or the file has. */
static void note_given_labels(vgg_model *model, const char *name)
{
    struct vgg_evidence_list *list = &model->spec.evidence;
    if (vgg_evidence_find(list, "labels") != NULL) {
        vgg_evidence_add(list, &model->arena,
                         &(struct vgg_evidence){
                             .property = "labels", .value = name, .source = VGG_EVIDENCE_USER});
    }
}

/* 1000 classes are probably ImageNet's, but not certainly if the net is not a published one. */
static void note_labels(vgg_model *model)
{
    vgg_evidence_add(&model->spec.evidence, &model->arena,
                     &(struct vgg_evidence){.property = "labels",
                                            .value = "ImageNet's",
                                            .source = VGG_EVIDENCE_CONVENTION,
                                            .why = "1000 classes"});
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
        note_given_labels(model, options->labels_path);
    } else if (status == VGG_OK && spec->labels.count == 0 && classes == 1000) {
        status = vgg_labels_find("imagenet", &model->arena, &spec->labels, err);
        note_labels(model);
    }
    if (status == VGG_OK) {
        vgg_model_note_preprocess(model, options);
    }
    return status;
}
