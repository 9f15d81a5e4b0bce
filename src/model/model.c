/* The public face: a checkpoint and options in, a net with weights, labels and preprocessing out. */
#include <stdio.h>
#include <string.h>

#include "checkpoint/checkpoint.h"
#include "model/graph/build.h"
#include "model/infer/modules.h"
#include "model/infer/resolve.h"

struct vgg_model {
    struct vgg_context context; /* the checkpoint's */
    struct vgg_arena arena;     /* owns all that is pointed to, but the path and the tensors */
    const char *path;           /* the checkpoint's */
    const char *spec_source;
    const char *name;
    const char *assumed;
    int height, width; /* of the input */
    bool dense;
    struct vgg_spec spec;
    struct vgg_graph graph;
    struct vgg_shape
        *shapes; /* [graph.count] each node's output for an input of the model's size; all
                                 0 from the node on that it is too small for */
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

/* Sizes that are asked for. A larger input is cropped from a picture that is resized to more in the same
 * proportion, as torchvision's 224 from 256. */
static vgg_status apply_size(vgg_model *model, const struct vgg_model_options *options,
                             struct vgg_error *err)
{
    struct vgg_preprocess *preprocess = &model->spec.preprocess;
    const int height = options->height > 0 ? options->height : options->width;
    const int width = options->width > 0 ? options->width : options->height;
    model->height = model->width = model->spec.input;
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
        const int64_t resize = longer * preprocess->resize / model->spec.input;
        preprocess->resize = resize < VGG_MAX_SIDE ? (int)resize : VGG_MAX_SIDE;
        preprocess->crop = model->height = height;
        preprocess->crop_width = width == height ? 0 : width;
        model->width = width;
        model->spec.assumed_input = false;
    }
    if (options->resize != 0) {
        preprocess->resize = options->resize > 0 ? options->resize : 0;
        if (height == 0 && options->resize > 0 && preprocess->crop > options->resize) {
            preprocess->crop = model->height = model->width = options->resize;
        }
        model->spec.assumed_input = false;
    }
    if (options->dense && height == 0) {
        preprocess->crop = 0;
        model->height = model->width =
            preprocess->resize > 0 ? preprocess->resize : model->spec.input;
    }
    if (height > 0 || options->resize != 0 || options->dense) {
        strcpy(preprocess->name, "custom");
    }
    return VGG_OK;
}

static vgg_status apply_options(vgg_model *model, const struct vgg_model_options *options,
                                const struct vgg_limits *limits, struct vgg_error *err)
{
    struct vgg_spec *spec = &model->spec;
    int classes = vgg_spec_get_classes(spec);
    vgg_status status = apply_preset(model, options->preset, err);
    if (status == VGG_OK) {
        status = apply_size(model, options, err);
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
        (status = apply_options(model, options, &limits, err)) != VGG_OK) {
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

static const char *name_weights(const vgg_model *model)
{
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    const struct vgg_tensor *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct vgg_tensor *weight = nodes[i].op == VGG_OP_CONV2D   ? nodes[i].conv.weight
                                          : nodes[i].op == VGG_OP_LINEAR ? nodes[i].linear.weight
                                                                         : NULL;
        first = first != NULL ? first : weight;
        if (weight != NULL && weight->dtype != first->dtype) {
            return "mixed";
        }
    }
    return first != NULL ? vgg_dtype_string(first->dtype) : "";
}

void vgg_model_get_info(const vgg_model *model, struct vgg_model_info *info)
{
    *info = (struct vgg_model_info){
        .name = model->name,
        .linear_count = (int)model->spec.head_count,
        .class_count = vgg_spec_get_classes(&model->spec),
        .height = model->height,
        .width = model->width,
        .spec_source = model->spec_source,
        .assumed = model->assumed,
        .dense = model->dense,
        .int8 = model->spec.int8,
        .weights = name_weights(model),
    };
    for (size_t i = 0; i < model->spec.layer_count; i++) {
        const struct vgg_layer *layer = &model->spec.layers[i];
        info->conv_count += layer->kind == VGG_LAYER_CONV;
        info->batch_norm = info->batch_norm || layer->batch_norm;
    }
    for (size_t i = 0; i < model->spec.head_count; i++) {
        info->batch_norm = info->batch_norm || model->spec.head[i].batch_norm;
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

/* Adds a tensor that may be absent. */
static void add_tensor(const struct vgg_tensor *tensor, bool parameter, struct vgg_node_info *info)
{
    if (tensor == NULL) {
        return;
    }
    uint64_t elements = 1;
    for (int i = 0; i < tensor->ndim; i++) {
        elements *= (uint64_t)tensor->shape[i];
    }
    info->parameters += parameter ? elements : 0;
    info->weight_bytes += elements * vgg_dtype_get_bytes(tensor->dtype);
}

size_t vgg_model_get_node_count(const vgg_model *model)
{
    return model->graph.count;
}

void vgg_model_get_node(const vgg_model *model, size_t index, struct vgg_node_info *info)
{
    const struct vgg_node *node = &model->graph.nodes[index];
    const struct vgg_shape shape = model->shapes[index];
    *info = (struct vgg_node_info){
        .name = node->name,
        .type = vgg_node_type(node),
        .channels = shape.c,
        .height = shape.h,
        .width = shape.w,
    };
    if (node->op == VGG_OP_CONV2D) {
        const struct vgg_conv2d *conv = &node->conv;
        add_tensor(conv->weight, true, info);
        add_tensor(conv->bias, true, info);
        info->multiply_adds =
            (double)conv->ic * conv->oc * conv->kernel * conv->kernel * shape.h * shape.w;
    } else if (node->op == VGG_OP_BATCH_NORM) {
        add_tensor(node->norm.weight, true, info);
        add_tensor(node->norm.bias, true, info);
        add_tensor(node->norm.running_mean, false, info);
        add_tensor(node->norm.running_var, false, info);
    } else if (node->op == VGG_OP_LINEAR) {
        add_tensor(node->linear.weight, true, info);
        add_tensor(node->linear.bias, true, info);
        info->multiply_adds = (double)node->linear.in_features * shape.c;
    }
}

const struct vgg_node *vgg_model_get_nodes(const struct vgg_model *model, size_t *count)
{
    *count = model->graph.count;
    return model->graph.nodes;
}

const struct vgg_spec *vgg_model_get_spec(const struct vgg_model *model)
{
    return &model->spec;
}

const char *vgg_model_get_path(const struct vgg_model *model)
{
    return model->path;
}

const struct vgg_context *vgg_model_get_context(const struct vgg_model *model)
{
    return &model->context;
}

struct vgg_shape vgg_model_get_input_shape(const struct vgg_model *model)
{
    return (struct vgg_shape){.c = 3, .h = model->height, .w = model->width};
}

vgg_status vgg_model_check_classifier(const vgg_model *model, struct vgg_error *err)
{
    return vgg_graph_check_numbers(model->path, &model->graph, false, err);
}

vgg_status vgg_model_check_weights(const vgg_model *model, struct vgg_error *err)
{
    return vgg_graph_check_numbers(model->path, &model->graph, true, err);
}
