/* SPDX-License-Identifier: MIT */
/* Describes what a model assumes because neither its files nor the caller specify it. */
#include "model/assumed.h"

#include <string.h>

/* Whether the average pool changes anything for an input of the model's size. */
static bool pools_average(const vgg_model *model, const struct vgg_shape *shapes)
{
    for (size_t i = 1; i < model->graph.count; i++) {
        const struct vgg_shape in = shapes[i - 1], out = shapes[i];
        if (model->graph.nodes[i].op == VGG_OP_ADAPTIVE_AVG_POOL) {
            return in.h != out.h || in.w != out.w;
        }
    }
    return false;
}

static const char *describe_preprocess(const struct vgg_preprocess *preprocess)
{
    if (strcmp(preprocess->name, "cifar") == 0) {
        return "mean and std of 0.5";
    }
    return strcmp(preprocess->name, "imagenet") == 0 ? "ImageNet's preprocessing"
                                                     : "ImageNet's mean and std";
}

static const char *separator(const struct vgg_text *text)
{
    return text->length > 0 ? "; " : "";
}

vgg_status vgg_model_describe_assumed(vgg_model *model, const struct vgg_shape *shapes,
                                      struct vgg_error *err)
{
    const struct vgg_spec *spec = &model->spec;
    struct vgg_text text = {0};
    if (spec->assumed != NULL) {
        vgg_text_add(&text, "%s", spec->assumed);
    }
    if (spec->assumed_avgpool && !model->dense && pools_average(model, shapes)) {
        vgg_text_add(&text, "%san average pool to %dx%d before the classifier", separator(&text),
                     spec->avgpool, spec->avgpool);
    }
    if (spec->assumed_input && !model->dense) {
        vgg_text_add(&text, "%san input of %dx%d pixels", separator(&text), model->height,
                     model->width);
    }
    if (spec->assumed_preprocess) {
        vgg_text_add(&text, "%s%s", separator(&text), describe_preprocess(&spec->preprocess));
    }
    model->assumed = vgg_arena_copy_string(&model->arena, text.buffer, text.length);
    return model->assumed != NULL
               ? VGG_OK
               : vgg_fail_memory(err, model->path, text.length, "the list of assumptions");
}
