/* The public face: a checkpoint and options in, a net with weights, labels and preprocessing out. */
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/resolve.h"

struct vgg_model {
    struct vgg_arena arena; /* owns all that is pointed to, but the path and the tensors */
    const char *path;       /* the checkpoint's */
    const char *spec_source;
    const char *name;
    struct vgg_spec spec;
    struct vgg_graph graph;
};

static vgg_status list_tensors(const vgg_checkpoint *checkpoint, struct vgg_arena *arena,
                               struct vgg_tensor_list *out, struct vgg_error *err)
{
    size_t count = vgg_checkpoint_get_tensor_count(checkpoint);
    const struct vgg_tensor **tensors = vgg_arena_alloc(arena, count, sizeof *tensors);
    if (tensors == NULL) {
        return vgg_fail_memory(err, vgg_checkpoint_get_path(checkpoint), count * sizeof *tensors,
                               "the list of tensors");
    }
    for (size_t i = 0; i < count; i++) {
        tensors[i] = vgg_checkpoint_get_tensor(checkpoint, i);
    }
    return vgg_tensor_list_init(out, arena, tensors, count, err);
}

/* What the caller asks for goes before the description. */
static vgg_status apply_options(vgg_model *model, const struct vgg_model_options *options,
                                const struct vgg_limits *limits, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    int classes = vgg_spec_get_classes(spec);
    vgg_status status = VGG_OK;
    if (options->preset != NULL && strcmp(options->preset, "auto") != 0) {
        status = vgg_preprocess_find(options->preset, &spec->preprocess, err);
        if (status == VGG_OK && spec->preprocess.crop > 0) {
            spec->input = spec->preprocess.crop;
        }
    }
    if (status == VGG_OK && options->labels_path != NULL) {
        status = vgg_labels_open(options->labels_path, limits, &model->arena, &spec->labels, err);
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

vgg_status vgg_model_create(const vgg_checkpoint *checkpoint,
                            const struct vgg_model_options *options, vgg_model **out,
                            struct vgg_error *err)
{
    static const struct vgg_model_options no_options;
    struct vgg_limits limits;
    struct vgg_tensor_list tensors;
    vgg_status status;
    *out = NULL;
    options = options != NULL ? options : &no_options;
    vgg_limits_init(&limits);
    limits = options->limits != NULL ? *options->limits : limits;
    vgg_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        return vgg_fail_memory(err, vgg_checkpoint_get_path(checkpoint), sizeof *model,
                               "the model");
    }
    model->path = vgg_checkpoint_get_path(checkpoint);
    if ((status = list_tensors(checkpoint, &model->arena, &tensors, err)) != VGG_OK ||
        (status = vgg_spec_resolve(model->path, options->spec_path, &tensors, &limits,
                                   &model->arena, &model->spec, &model->spec_source, err)) !=
            VGG_OK) {
        goto fail;
    }
    model->name = model->spec.name != NULL ? model->spec.name : "vgg (custom)";
    if ((status = vgg_graph_build(model->path, &model->spec, &limits, &model->arena, &model->graph,
                                  err)) != VGG_OK ||
        (status = vgg_graph_bind(model->path, model->name, &tensors, &model->graph, err)) !=
            VGG_OK ||
        (status = apply_options(model, options, &limits, err)) != VGG_OK) {
        goto fail;
    }
    *out = model;
    return VGG_OK;
fail:
    vgg_model_destroy(model);
    return status;
}

void vgg_model_destroy(vgg_model *model)
{
    if (model != NULL) {
        vgg_arena_destroy(&model->arena);
        free(model);
    }
}

void vgg_model_get_info(const vgg_model *model, struct vgg_model_info *info)
{
    *info = (struct vgg_model_info){
        .name = model->name,
        .linear_count = (int)model->spec.head_count,
        .class_count = vgg_spec_get_classes(&model->spec),
        .height = model->spec.input,
        .width = model->spec.input,
        .spec_source = model->spec_source,
    };
    for (size_t i = 0; i < model->spec.layer_count; i++) {
        const struct vgg_layer *layer = &model->spec.layers[i];
        info->conv_count += layer->kind == VGG_LAYER_CONV;
        info->batch_norm = info->batch_norm || layer->batch_norm;
    }
}

const struct vgg_preprocess *vgg_model_get_preprocess(const vgg_model *model)
{
    return &model->spec.preprocess;
}

const char *vgg_model_get_label(const vgg_model *model, int index)
{
    const struct vgg_labels *labels = &model->spec.labels;
    return index >= 0 && (size_t)index < labels->count ? labels->names[index] : NULL;
}

const struct vgg_node *vgg_model_get_nodes(const struct vgg_model *model, size_t *count)
{
    *count = model->graph.count;
    return model->graph.nodes;
}

const char *vgg_model_get_path(const struct vgg_model *model)
{
    return model->path;
}

struct vgg_shape vgg_model_get_input_shape(const struct vgg_model *model)
{
    return (struct vgg_shape){.c = 3, .h = model->spec.input, .w = model->spec.input};
}

vgg_status vgg_model_check_classifier(const vgg_model *model, struct vgg_error *err)
{
    return vgg_graph_check_classifier(model->path, &model->graph, err);
}
