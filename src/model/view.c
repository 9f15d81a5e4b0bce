/* SPDX-License-Identifier: MIT */
/* Fills the read-only view of a model, and checks image sizes against its nodes. */
#include "model/view.h"

#include <string.h>

#include "model/assumed.h"
#include "model/graph/node_info.h"
#include "model/model_types.h"

const struct vgg_model_view *vgg_model_get_view(const vgg_model *model)
{
    return &model->view;
}

/* Computes the output shapes of all nodes for an image; the first node that cannot take its input ends it.
 *   shapes  NULL, or receives [graph.count] */
static vgg_status infer_shapes(const vgg_model *model, struct vgg_shape shape,
                               struct vgg_shape *shapes, struct vgg_error *err)
{
    for (size_t i = 0; i < model->graph.count; i++) {
        vgg_status status =
            vgg_node_infer_shape(&model->graph.nodes[i], shape, &shape, model->path, err);
        if (status != VGG_OK) {
            return status;
        }
        if (shapes != NULL) {
            shapes[i] = shape;
        }
    }
    return VGG_OK;
}

static struct vgg_shape image_shape(const vgg_model *model, int height, int width)
{
    return (struct vgg_shape){.c = model->spec.channels, .h = height, .w = width};
}

vgg_status vgg_model_check_size(const vgg_model *model, int height, int width,
                                struct vgg_error *err)
{
    enum { MAX_SIDE = 1024 }; /* the search ends here: no known net needs more */
    struct vgg_error reason = {0};
    int min = 1;
    vgg_status status = infer_shapes(model, image_shape(model, height, width), NULL, &reason);
    if (status == VGG_OK) {
        return VGG_OK;
    }
    while (min <= MAX_SIDE &&
           infer_shapes(model, image_shape(model, min, min), NULL, NULL) != VGG_OK) {
        min++;
    }
    return min > MAX_SIDE || min <= (height < width ? height : width)
               ? vgg_fail(err, status, "%s", reason.message)
               : vgg_fail(err, status, "%s, which takes at least %dx%d pixels", reason.message, min,
                          min);
}

/* The element type of all weights of convolutions and linear layers, or "mixed". */
static const char *name_weight_type(const struct vgg_graph *graph)
{
    const struct vgg_tensor *first = NULL;
    for (size_t i = 0; i < graph->count; i++) {
        const struct vgg_tensor *weight = vgg_node_get_weight(&graph->nodes[i]);
        first = first != NULL ? first : weight;
        if (weight != NULL && weight->dtype != first->dtype) {
            return "mixed";
        }
    }
    return first != NULL ? vgg_dtype_string(first->dtype) : "";
}

/* The last layer's activation: what the net's outputs are. */
static const char *name_final_activation(const struct vgg_spec *spec)
{
    const struct vgg_layer *last = &spec->layers[spec->layer_count - 1];
    while (last > spec->layers && last->kind == VGG_LAYER_IDENTITY) {
        last--;
    }
    if (last->kind == VGG_LAYER_SOFTMAX) {
        return last->softmax.log ? "log_softmax" : "softmax";
    }
    return last->kind == VGG_LAYER_ACTIVATION && last->activation.kind == VGG_ACTIVATION_SIGMOID
               ? "sigmoid"
               : "none";
}

static struct vgg_model_info make_info(const vgg_model *model)
{
    const struct vgg_spec *spec = &model->spec;
    struct vgg_model_info info = {
        .name = model->name,
        .conv_count = (int)vgg_spec_count(spec, VGG_LAYER_CONV),
        .linear_count = (int)vgg_spec_count(spec, VGG_LAYER_LINEAR),
        .batch_norm = vgg_spec_count(spec, VGG_LAYER_BATCH_NORM) > 0,
        .class_count = vgg_spec_get_classes(spec),
        .height = model->height,
        .width = model->width,
        .spec_source = spec->source,
        .assumed = model->assumed,
        .dense = model->dense,
        .int8 = spec->int8,
        .weights = name_weight_type(&model->graph),
        .channels = spec->channels,
        .final_activation = name_final_activation(spec),
    };
    return info;
}

/* Fills infos[graph.count] for one image of the model's input size. */
static void fill_node_infos(const vgg_model *model, const struct vgg_shape *shapes,
                            struct vgg_node_info *infos)
{
    for (size_t i = 0; i < model->graph.count; i++) {
        vgg_node_get_info(&model->graph.nodes[i], shapes[i], &infos[i]);
    }
}

static uint64_t sum_weight_bytes(const struct vgg_node_info *infos, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes =
            infos[i].weight_bytes < UINT64_MAX - bytes ? bytes + infos[i].weight_bytes : UINT64_MAX;
    }
    return bytes;
}

vgg_status vgg_model_fill_view(vgg_model *model, struct vgg_error *err)
{
    const size_t count = model->graph.count;
    struct vgg_shape *shapes = vgg_arena_alloc(&model->arena, count, sizeof *shapes);
    struct vgg_node_info *infos = vgg_arena_alloc(&model->arena, count, sizeof *infos);
    if (shapes == NULL || infos == NULL) {
        return vgg_fail_memory(err, model->path, count * sizeof *infos, "the list of nodes");
    }
    memset(shapes, 0, count * sizeof *shapes);
    model->view = (struct vgg_model_view){
        .path = model->path,
        .context = &model->context,
        .spec = &model->spec,
        .nodes = model->graph.nodes,
        .node_infos = infos,
        .node_count = count,
        .input = image_shape(model, model->height, model->width),
        .plans = model->plans,
    };
    /* An input that is too small is no error here: a session may still be created for a larger one. */
    infer_shapes(model, model->view.input, shapes, NULL);
    fill_node_infos(model, shapes, infos);
    model->view.weight_bytes = sum_weight_bytes(infos, count);
    vgg_status status = vgg_model_list_assumed(model, shapes, err);
    model->view.info = make_info(model);
    return status;
}
