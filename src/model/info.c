/* What there is to know of a model. */
#include "model/model.h"

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
