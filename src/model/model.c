/* The public face: a checkpoint and options in, a net with weights, labels and preprocessing out. */
#include <string.h>

#include "checkpoint/checkpoint.h"
#include "model/build.h"
#include "model/resolve.h"

struct vgg_model {
    struct vgg_context context; /* the checkpoint's */
    struct vgg_arena arena;     /* owns all that is pointed to, but the path and the tensors */
    const char *path;           /* the checkpoint's */
    const char *spec_source;
    const char *name;
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

static vgg_status list_shapes(struct vgg_model *model, struct vgg_error *err)
{
    struct vgg_shape shape = vgg_model_get_input_shape(model);
    const size_t count = model->graph.count;
    model->shapes = vgg_arena_alloc(&model->arena, count, sizeof *model->shapes);
    if (model->shapes == NULL) {
        return vgg_fail_memory(err, model->path, count * sizeof *model->shapes, "shapes");
    }
    memset(model->shapes, 0, count * sizeof *model->shapes);
    for (size_t i = 0; i < count; i++) {
        /* A session may still be asked for with a larger input, so this is no error. */
        if (vgg_node_infer_shape(&model->graph.nodes[i], shape, &shape, model->path, NULL) !=
            VGG_OK) {
            break;
        }
        model->shapes[i] = shape;
    }
    return VGG_OK;
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
    vgg_model *model = vgg_mem_alloc_cleared(vgg_allocator_of(context), 1, sizeof *model);
    if (model == NULL) {
        return vgg_fail_memory(err, vgg_checkpoint_get_path(checkpoint), sizeof *model,
                               "the model");
    }
    model->context = *context;
    model->arena.context = &model->context;
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
    status = list_shapes(model, err);
    if (status != VGG_OK) {
        goto fail;
    }
    vgg_log(&model->context, VGG_LOG_INFO,
            "%s: %s, by %s; input %dx%d, preprocessing %s, %zu class names", model->path,
            model->name, model->spec_source, model->spec.input, model->spec.input,
            model->spec.preprocess.name, model->spec.labels.count);
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
        .type = vgg_op_string(node->op),
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
    return (struct vgg_shape){.c = 3, .h = model->spec.input, .w = model->spec.input};
}

vgg_status vgg_model_check_classifier(const vgg_model *model, struct vgg_error *err)
{
    return vgg_graph_check_classifier(model->path, &model->graph, err);
}
