/* SPDX-License-Identifier: MIT */
/* Applies a caller's options to a model's description. */
#include "model/apply_options.h"

#include <stdio.h>
#include <string.h>

/* Records that the caller gives a property, if the description has it. */
static void note_given(vgg_model *model, const char *property, const char *value)
{
    if (vgg_evidence_find(&model->spec.evidence, property) != NULL) {
        vgg_evidence_add(&model->spec.evidence, &model->arena,
                         &(struct vgg_evidence){
                             .property = property, .value = value, .source = VGG_EVIDENCE_USER});
    }
}

/* Records the caller's input size. */
static void note_size(vgg_model *model)
{
    char value[32];
    snprintf(value, sizeof value, "%dx%d", model->height, model->width);
    note_given(model, "input size", value);
}

/* Replaces the description's preprocessing by a preset. */
static vgg_status apply_preset(vgg_model *model, const char *preset, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    if (preset == NULL || strcmp(preset, "auto") == 0) {
        return VGG_OK;
    }
    vgg_status status = vgg_preprocess_find(preset, &spec->preprocess, err);
    if (status == VGG_OK) {
        note_given(model, "resize", preset);
        note_given(model, "mean and std", preset);
        note_given(model, "channels", preset);
        note_given(model, "preprocessing", preset);
    }
    if (status == VGG_OK && spec->preprocess.crop > 0) {
        spec->input = (struct vgg_pixels){spec->preprocess.crop, spec->preprocess.crop};
        note_given(model, "input size", preset);
    }
    return status;
}

/* Applies the input and resize sizes. The resize size grows with the input in the description's proportion, such
 * as torchvision's 256 for 224. */
static vgg_status apply_size(vgg_model *model, const struct vgg_model_options *options,
                             struct vgg_error *err)
{
    struct vgg_preprocess *preprocess = &model->spec.preprocess;
    const int height = options->height > 0 ? options->height : options->width;
    const int width = options->width > 0 ? options->width : options->height;
    model->height = model->spec.input.h;
    model->width = model->spec.input.w;
    if (options->height < 0 || height > VGG_MAX_SIDE || options->width < 0 ||
        width > VGG_MAX_SIDE) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "input size: expected sides of 1 to %d, got %dx%d",
                        VGG_MAX_SIDE, options->height, options->width);
    }
    if (options->resize < -1 || options->resize > VGG_MAX_SIDE) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "resize: expected a side of 1 to %d, or -1, got %d",
                        VGG_MAX_SIDE, options->resize);
    }
    if (height > 0) {
        const int64_t longer = height > width ? height : width;
        const int64_t resize = longer * preprocess->resize / model->spec.input.h;
        preprocess->resize = resize < VGG_MAX_SIDE ? (int)resize : VGG_MAX_SIDE;
        preprocess->crop = model->height = height;
        preprocess->crop_width = width == height ? 0 : width;
        model->width = width;
        note_size(model);
    }
    if (options->resize != 0) {
        preprocess->resize = options->resize > 0 ? options->resize : 0;
        if (height == 0 && options->resize > 0 && preprocess->crop > options->resize) {
            preprocess->crop = model->height = model->width = options->resize;
        }
        note_size(model);
    }
    if (options->dense && height == 0) {
        preprocess->crop = 0;
        model->height = model->width =
            preprocess->resize > 0 ? preprocess->resize : model->spec.input.h;
    }
    if (height > 0 || options->resize != 0 || options->dense) {
        strcpy(preprocess->name, "custom");
    }
    return VGG_OK;
}

vgg_status vgg_model_apply_options(vgg_model *model, const struct vgg_model_options *options,
                                   const struct vgg_limits *limits, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    int classes = vgg_spec_get_classes(spec);
    vgg_status status = apply_preset(model, options->preset, err);
    if (status == VGG_OK) {
        status = apply_size(model, options, err);
    }
    if (status == VGG_OK && options->labels_path != NULL) {
        const struct vgg_load load = {
            .path = options->labels_path, .limits = limits, .arena = &model->arena, .err = err};
        status = vgg_labels_open(&load, &spec->labels);
        if (status == VGG_OK && spec->labels.count != (size_t)classes) {
            status = vgg_fail(err, VGG_ERR_MISMATCH,
                              "%s: expected %d labels, the classes of %s, found %zu",
                              options->labels_path, classes, model->path, spec->labels.count);
        }
    } else if (status == VGG_OK && spec->labels.count == 0 && classes == 1000) {
        status = vgg_labels_find("imagenet", &model->arena, &spec->labels, err);
    }
    return status;
}
