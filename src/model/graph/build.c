/* SPDX-License-Identifier: MIT */
/* Builds the nodes of a net from its description: one for each layer. */
#include "model/graph/build.h"

#include <stdio.h>
#include <string.h>

struct builder {
    const struct vgg_load *load;
    bool int8;
    struct vgg_graph graph;
    /* False after an allocation failed. */
    bool ok;
};

/* Appends NODE.LEAF to the parameters; the first side of 0 ends the shape. */
static struct vgg_parameter *add_parameter(struct builder *builder, const struct vgg_node *node,
                                           const char *leaf, const int64_t shape[4],
                                           const struct vgg_tensor **slot)
{
    const size_t length = strlen(node->name) + 1 + strlen(leaf);
    char *name = vgg_arena_alloc(builder->load->arena, length + 1, 1);
    struct vgg_parameter *parameter = &builder->graph.parameters[builder->graph.parameter_count++];
    builder->ok = builder->ok && name != NULL;
    if (name != NULL) {
        snprintf(name, length + 1, "%s.%s", node->name, leaf);
    }
    parameter->name = name;
    for (int i = 0; i < 4 && shape[i] > 0; i++) {
        parameter->shape[parameter->ndim++] = shape[i];
    }
    parameter->slot = slot;
    return parameter;
}

/* Demands a type and a layout of a parameter of an int8 net. */
static void demand(struct vgg_parameter *parameter, enum vgg_dtype dtype, enum vgg_layout layout)
{
    parameter->exact = true;
    parameter->dtype = dtype;
    parameter->layout = layout;
}

/* The weight and the bias of a convolution or linear layer. */
struct layer_slots {
    const struct vgg_tensor **weight, **bias;
    bool has_bias;
    /* The weight's layout in an int8 net. */
    enum vgg_layout layout;
};

static void add_weights(struct builder *builder, struct vgg_node *node, const int64_t shape[4],
                        const struct layer_slots *slots)
{
    const int64_t channels[4] = {shape[0]};
    struct vgg_parameter *weight = add_parameter(builder, node, "weight", shape, slots->weight);
    if (!builder->int8) {
        if (slots->has_bias) {
            add_parameter(builder, node, "bias", channels, slots->bias);
        }
        return;
    }
    demand(weight, VGG_DTYPE_I8, slots->layout);
    demand(add_parameter(builder, node, "bias", channels, slots->bias), VGG_DTYPE_I32,
           VGG_LAYOUT_ROWS);
    demand(add_parameter(builder, node, "weight_scale", channels, &node->int8.weight_scale),
           VGG_DTYPE_F32, VGG_LAYOUT_ROWS);
    demand(add_parameter(builder, node, "weight_sum", channels, &node->int8.weight_sum),
           VGG_DTYPE_I32, VGG_LAYOUT_ROWS);
}

/* A convolution of VGG's form, or any other. */
static void build_conv(struct builder *builder, const struct vgg_conv_layer *layer,
                       struct vgg_node *node)
{
    const struct vgg_window *window = &layer->window;
    const int64_t weight[4] = {layer->out_channels, layer->in_channels / layer->groups,
                               window->kernel.h, window->kernel.w};
    struct layer_slots slots = {
        .has_bias = layer->bias,
        .layout = builder->graph.parameter_count == 0 ? VGG_LAYOUT_INT8_INPUT : VGG_LAYOUT_INT8,
    };
    if (layer->groups == 1 && vgg_window_is_square(window)) {
        node->op = VGG_OP_CONV2D;
        node->conv = (struct vgg_conv2d){.ic = layer->in_channels,
                                         .oc = layer->out_channels,
                                         .kernel = window->kernel.h,
                                         .stride = window->stride.h,
                                         .padding = window->padding.top};
        slots.weight = &node->conv.weight;
        slots.bias = &node->conv.bias;
    } else {
        node->op = VGG_OP_GENERAL_CONV;
        node->general_conv = (struct vgg_general_conv){.ic = layer->in_channels,
                                                       .oc = layer->out_channels,
                                                       .groups = layer->groups,
                                                       .window = *window};
        slots.weight = &node->general_conv.weight;
        slots.bias = &node->general_conv.bias;
    }
    add_weights(builder, node, weight, &slots);
}

/*   flat  the channels are the features of a linear layer */
static void build_norm(struct builder *builder, const struct vgg_norm_layer *layer, bool flat,
                       struct vgg_node *node)
{
    const int64_t shape[4] = {layer->channels};
    node->op = VGG_OP_BATCH_NORM;
    node->norm =
        (struct vgg_batch_norm){.channels = layer->channels, .flat = flat, .eps = layer->eps};
    if (layer->affine) {
        add_parameter(builder, node, "weight", shape, &node->norm.weight);
        add_parameter(builder, node, "bias", shape, &node->norm.bias);
    }
    add_parameter(builder, node, "running_mean", shape, &node->norm.running_mean);
    add_parameter(builder, node, "running_var", shape, &node->norm.running_var);
}

static void build_linear(struct builder *builder, const struct vgg_linear_layer *layer,
                         struct vgg_node *node)
{
    struct vgg_graph *graph = &builder->graph;
    const int64_t weight[4] = {layer->out_features, layer->in_features};
    node->op = VGG_OP_LINEAR;
    node->linear =
        (struct vgg_linear){.in_features = layer->in_features, .out_features = layer->out_features};
    if (graph->classifier_begin == SIZE_MAX) {
        graph->classifier_begin = graph->parameter_count;
    }
    add_weights(builder, node, weight,
                &(struct layer_slots){.weight = &node->linear.weight,
                                      .bias = &node->linear.bias,
                                      .has_bias = layer->bias,
                                      .layout = VGG_LAYOUT_INT8});
}

static void build_activation(struct builder *builder, const struct vgg_activation_layer *layer,
                             struct vgg_node *node)
{
    const int64_t slopes[4] = {layer->slopes};
    node->op = layer->kind == VGG_ACTIVATION_RELU ? VGG_OP_RELU : VGG_OP_ACTIVATION;
    if (node->op == VGG_OP_RELU) {
        return;
    }
    node->activation = (struct vgg_activation_op){.kind = layer->kind, .slope = layer->slope};
    if (layer->kind == VGG_ACTIVATION_PRELU) {
        add_parameter(builder, node, "weight", slopes, &node->activation.slopes);
    }
}

static void build_pool(const struct vgg_general_pool *pool, struct vgg_node *node)
{
    if (!pool->average && vgg_window_is_square(&pool->window) && pool->window.padding.top == 0) {
        node->op = VGG_OP_MAX_POOL;
        node->max_pool =
            (struct vgg_max_pool){.kernel = pool->window.kernel.h, .stride = pool->window.stride.h};
    } else {
        node->op = VGG_OP_GENERAL_POOL;
        node->general_pool = *pool;
    }
}

static void build_adaptive(const struct vgg_adaptive_layer *layer, struct vgg_node *node)
{
    node->op = layer->kind == VGG_ADAPTIVE_AVG   ? VGG_OP_ADAPTIVE_AVG_POOL
               : layer->kind == VGG_ADAPTIVE_MAX ? VGG_OP_ADAPTIVE_MAX_POOL
                                                 : VGG_OP_CONCAT_POOL;
    node->adaptive_pool = (struct vgg_adaptive_pool){
        .oh = layer->out.h, .ow = layer->out.w, .only_enlarges = layer->only_enlarges};
}

/*   flat  the layer's input is the features of a linear layer */
static void build_node(struct builder *builder, const struct vgg_layer *layer, bool flat)
{
    struct vgg_node *node = &builder->graph.nodes[builder->graph.count++];
    node->name = layer->name;
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        build_conv(builder, &layer->conv, node);
        break;
    case VGG_LAYER_BATCH_NORM:
        build_norm(builder, &layer->norm, flat, node);
        break;
    case VGG_LAYER_ACTIVATION:
        build_activation(builder, &layer->activation, node);
        break;
    case VGG_LAYER_LRN:
        node->op = VGG_OP_LRN;
        node->lrn = layer->lrn;
        break;
    case VGG_LAYER_POOL:
        build_pool(&layer->pool, node);
        break;
    case VGG_LAYER_ADAPTIVE_POOL:
        build_adaptive(&layer->adaptive, node);
        break;
    case VGG_LAYER_ZERO_PAD:
        node->op = VGG_OP_ZERO_PAD;
        node->zero_pad = layer->zero_pad;
        break;
    case VGG_LAYER_FLATTEN:
        node->op = VGG_OP_FLATTEN;
        break;
    case VGG_LAYER_LINEAR:
        build_linear(builder, &layer->linear, node);
        break;
    case VGG_LAYER_IDENTITY:
        node->op = VGG_OP_DROPOUT;
        break;
    case VGG_LAYER_SOFTMAX:
        node->op = VGG_OP_SOFTMAX;
        node->softmax = layer->softmax;
        break;
    }
}

/* Sets the scales of the bytes that each layer of an int8 net reads and writes. */
static void set_scales(struct vgg_graph *graph, const struct vgg_spec *spec)
{
    const size_t count = vgg_spec_count_scales(spec);
    size_t next = 0;
    for (size_t i = 0; i < graph->count; i++) {
        struct vgg_node *node = &graph->nodes[i];
        if (node->op == VGG_OP_CONV2D || node->op == VGG_OP_LINEAR) {
            node->int8.input_scale = next > 0 ? spec->scales[next - 1] : 1;
            node->int8.output_scale = next < count ? spec->scales[next] : 0;
            next++;
        }
    }
}

/* A layer has at most four parameters. */
static vgg_status allocate(struct builder *builder, size_t layers)
{
    struct vgg_graph *graph = &builder->graph;
    graph->nodes = vgg_load_alloc(builder->load, layers, sizeof *graph->nodes);
    graph->parameters = vgg_load_alloc(builder->load, 4 * layers, sizeof *graph->parameters);
    return graph->nodes != NULL && graph->parameters != NULL
               ? VGG_OK
               : vgg_load_fail_memory(builder->load, 4 * layers * sizeof *graph->parameters,
                                      "the net");
}

/* Refuses more layers with weights than the limit. */
static vgg_status check_count(const struct vgg_load *load, const struct vgg_spec *spec)
{
    const size_t count =
        vgg_spec_count(spec, VGG_LAYER_CONV) + vgg_spec_count(spec, VGG_LAYER_LINEAR);
    return count <= load->limits->layers
               ? VGG_OK
               : vgg_fail(load->err, VGG_ERR_LIMIT, "%s: the net has %zu layers, limit is %u",
                          load->path, count, load->limits->layers);
}

vgg_status vgg_graph_build(const struct vgg_load *load, const struct vgg_spec *spec,
                           struct vgg_graph *out)
{
    struct builder builder = {
        .load = load,
        .graph = {.context = load->arena->context, .classifier_begin = SIZE_MAX},
        .int8 = spec->int8,
        .ok = true,
    };
    bool flat = false;
    vgg_status status = check_count(load, spec);
    status = status ? status : allocate(&builder, spec->layer_count);
    if (status != VGG_OK) {
        return status;
    }
    for (size_t i = 0; i < spec->layer_count; i++) {
        build_node(&builder, &spec->layers[i], flat);
        flat = flat || spec->layers[i].kind == VGG_LAYER_FLATTEN;
    }
    if (!builder.ok) {
        return vgg_load_fail_memory(load, builder.graph.count * sizeof *builder.graph.nodes,
                                    "the names of nodes");
    }
    if (builder.graph.classifier_begin == SIZE_MAX) {
        builder.graph.classifier_begin = builder.graph.parameter_count;
    }
    if (spec->int8) {
        set_scales(&builder.graph, spec);
    }
    *out = builder.graph;
    return VGG_OK;
}
