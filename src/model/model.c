/* The public face: a checkpoint and options in, a net with weights, labels and preprocessing out. */
#include "model/model.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/checkpoint.h"
#include "model/infer/modules.h"
#include "model/infer/resolve.h"

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

/* The first node that cannot take what it gets from a picture, or VGG_OK; shapes is NULL or [graph.count]. */
static vgg_status walk(const vgg_model *model, int height, int width, struct vgg_shape *shapes,
                       struct vgg_error *err)
{
    struct vgg_shape shape = {.c = 3, .h = height, .w = width};
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

vgg_status vgg_model_check_size(const vgg_model *model, int height, int width,
                                struct vgg_error *err)
{
    enum { MOST = 1024 }; /* beyond it no net is worth the search */
    struct vgg_error reason = {0};
    int least = 1;
    vgg_status status = walk(model, height, width, NULL, &reason);
    if (status == VGG_OK) {
        return VGG_OK;
    }
    while (least <= MOST && walk(model, least, least, NULL, NULL) != VGG_OK) {
        least++;
    }
    return least > MOST || least <= (height < width ? height : width)
               ? vgg_fail(err, status, "%s", reason.message)
               : vgg_fail(err, status, "%s, which takes %dx%d pixels and more", reason.message,
                          least, least);
}

static vgg_status list_shapes(struct vgg_model *model, struct vgg_error *err)
{
    const size_t count = model->graph.count;
    model->shapes = vgg_arena_alloc(&model->arena, count, sizeof *model->shapes);
    if (model->shapes == NULL) {
        return vgg_fail_memory(err, model->path, count * sizeof *model->shapes, "shapes");
    }
    memset(model->shapes, 0, count * sizeof *model->shapes);
    /* A session may still be asked for with a larger input, so that too small a one is no error. */
    walk(model, model->height, model->width, model->shapes, NULL);
    return VGG_OK;
}

/* Whether the average pool has anything to do for an input of the model's size. */
static bool pools_average(const vgg_model *model)
{
    for (size_t i = 1; i < model->graph.count; i++) {
        const struct vgg_shape in = model->shapes[i - 1], out = model->shapes[i];
        if (model->graph.nodes[i].op == VGG_OP_ADAPTIVE_AVG_POOL) {
            return in.h != out.h || in.w != out.w;
        }
    }
    return false;
}

static vgg_status tell_assumed(vgg_model *model, struct vgg_error *err)
{
    const struct vgg_spec *spec = &model->spec;
    char text[512];
    size_t used =
        (size_t)snprintf(text, sizeof text, "%s", spec->assumed != NULL ? spec->assumed : "");
    if (spec->assumed_avgpool && !model->dense && pools_average(model)) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%san average pool to %dx%d before the classifier",
                                 used > 0 ? "; " : "", spec->avgpool, spec->avgpool);
    }
    if (spec->assumed_input && !model->dense) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%san input of %dx%d pixels",
                                 used > 0 ? "; " : "", model->height, model->width);
    }
    if (spec->assumed_preprocess) {
        const char *name = spec->preprocess.name;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? "; " : "",
                                 strcmp(name, "cifar") == 0      ? "mean and std of 0.5"
                                 : strcmp(name, "imagenet") == 0 ? "ImageNet's preprocessing"
                                                                 : "ImageNet's mean and std");
    }
    model->assumed = vgg_arena_copy_string(&model->arena, text, used);
    return model->assumed != NULL ? VGG_OK
                                  : vgg_fail_memory(err, model->path, used, "what is assumed");
}

/* The net's description: what is asked for, else the packed file's own, else what is found. */
static vgg_status find_spec(vgg_model *model, const vgg_checkpoint *checkpoint,
                            const struct vgg_model_options *options,
                            const struct vgg_tensor_list *tensors, const struct vgg_limits *limits,
                            struct vgg_error *err)
{
    const bool asked = options->spec_path != NULL || options->cfg != NULL;
    for (size_t i = 0; i < tensors->count && asked; i++) {
        if (tensors->items[i]->layout == VGG_LAYOUT_INT8_INPUT) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: int8 weights have a description of their own: leave the other one "
                            "out",
                            model->path);
        }
    }
    if (checkpoint->description == NULL || asked) {
        return vgg_spec_resolve(model->path, options->spec_path, options->cfg, tensors, limits,
                                &model->arena, &model->spec, &model->spec_source, err);
    }
    model->spec_source = "the packed file";
    return vgg_spec_parse(model->path, checkpoint->description, checkpoint->description_bytes,
                          limits, &model->arena, &model->spec, err);
}

/* Points convolutions to what the file has prepared for kernels. */
static void find_prepared(const vgg_checkpoint *checkpoint, struct vgg_graph *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_CONV2D) {
            node->conv.prepared = vgg_checkpoint_find_prepared(checkpoint, node->conv.weight->name,
                                                               &node->conv.prepared_count);
        }
    }
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
    const struct vgg_context *context = vgg_checkpoint_get_context(checkpoint);
    if (options->spec_path != NULL && options->cfg != NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "a description and a cfg exclude each other");
    }
    vgg_model *model = vgg_mem_alloc_cleared(vgg_allocator_of(context), 1, sizeof *model);
    if (model == NULL) {
        return vgg_fail_memory(err, vgg_checkpoint_get_path(checkpoint), sizeof *model,
                               "the model");
    }
    model->context = *context;
    model->arena.context = &model->context;
    model->path = vgg_checkpoint_get_path(checkpoint);
    if ((status = list_tensors(checkpoint, &model->arena, &tensors, err)) != VGG_OK ||
        (status = find_spec(model, checkpoint, options, &tensors, &limits, err)) != VGG_OK ||
        (status = vgg_spec_apply_modules(checkpoint, &model->arena, &model->spec,
                                         &model->spec_source, err)) != VGG_OK) {
        goto fail;
    }
    model->name = model->spec.name != NULL ? model->spec.name : "vgg (custom)";
    if (model->spec.int8 && options->dense) {
        status =
            vgg_fail(err, VGG_ERR_UNSUPPORTED,
                     "%s: dense evaluation needs float32 weights, and these are int8", model->path);
        goto fail;
    }
    if ((status = vgg_graph_build(model->path, &model->spec, &limits, &model->arena, &model->graph,
                                  err)) != VGG_OK ||
        (status = vgg_graph_bind(model->path, model->name, &tensors, &model->graph, err)) !=
            VGG_OK ||
        (status = vgg_graph_check_memory(model->path, &model->graph, &limits, &model->arena,
                                         err)) != VGG_OK ||
        (status = vgg_model_apply_options(model, options, &limits, err)) != VGG_OK) {
        goto fail;
    }
    find_prepared(checkpoint, &model->graph);
    model->dense = options->dense;
    if (model->dense) {
        status = vgg_graph_make_dense(model->path, &model->graph, &model->arena, err);
    }
    if (status != VGG_OK || (status = list_shapes(model, err)) != VGG_OK ||
        (status = tell_assumed(model, err)) != VGG_OK) {
        goto fail;
    }
    vgg_log(&model->context, VGG_LOG_INFO,
            "%s: %s, by %s; input %dx%d, preprocessing %s, %zu class names", model->path,
            model->name, model->spec_source, model->spec.input, model->spec.input,
            model->spec.preprocess.name, model->spec.labels.count);
    if (model->assumed != NULL && model->assumed[0] != '\0') {
        vgg_log(&model->context, VGG_LOG_INFO, "%s: assumed: %s", model->path, model->assumed);
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
        const struct vgg_allocator allocator = model->context.allocator;
        vgg_mem_free(&allocator, model);
    }
}
