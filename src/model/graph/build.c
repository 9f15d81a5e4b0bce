/* SPDX-License-Identifier: MIT */
/* Builds the nodes of a net from its description. */
#include "model/graph/build.h"

#include <stdio.h>
#include <string.h>

/* PyTorch's default for BatchNorm. */
#define DEFAULT_EPS 1e-5

struct builder {
    const struct vgg_load *load;
    /* The names of the two Sequentials. */
    const char *features, *classifier;
    bool int8;
    /* Layers have names of their own; the nodes between them are named after them. */
    bool named;
    /* Max pools, and LRN and Dropout, that have been added. */
    int pools, others;
    struct vgg_graph graph;
    /* False after an allocation failed. */
    bool ok;
};

/* Appends a node named PREFIX.INDEX, or PREFIX alone for a negative index. */
static struct vgg_node *add_node(struct builder *builder, enum vgg_op op, const char *prefix,
                                 int index)
{
    char name[64];
    int length = index < 0 ? snprintf(name, sizeof name, "%s", prefix)
                           : snprintf(name, sizeof name, "%s.%d", prefix, index);
    struct vgg_node *node = &builder->graph.nodes[builder->graph.count++];
    node->op = op;
    node->name = vgg_arena_copy_string(builder->load->arena, name, (size_t)length);
    builder->ok = builder->ok && node->name != NULL;
    return node;
}

/* Appends a node named NAME, or NAME.WHAT. */
static struct vgg_node *add_named(struct builder *builder, enum vgg_op op, const char *name,
                                  const char *what)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s%s", name, what[0] != '\0' ? "." : "", what);
    return add_node(builder, op, whole, -1);
}

/* Appends a node of `features` that has no weights. It is named by its index, or in a net whose layers have names
 * of their own by `what` and a number. */
static struct vgg_node *add_between(struct builder *builder, enum vgg_op op, const char *what,
                                    int *count, int index)
{
    char name[32];
    if (!builder->named) {
        return add_node(builder, op, builder->features, index);
    }
    snprintf(name, sizeof name, "%s%d", what, ++*count);
    return add_node(builder, op, name, -1);
}

/* Appends NODE.LEAF to the parameters; the first side of 0 ends the shape. */
static struct vgg_parameter *add_parameter(struct builder *builder, const struct vgg_node *node,
                                           const char *leaf, const int64_t shape[4],
                                           const struct vgg_tensor **slot)
{
    char name[96];
    int length = snprintf(name, sizeof name, "%s.%s", node->name != NULL ? node->name : "", leaf);
    struct vgg_parameter *parameter = &builder->graph.parameters[builder->graph.parameter_count++];
    parameter->name = vgg_arena_copy_string(builder->load->arena, name, (size_t)length);
    for (int i = 0; i < 4 && shape[i] > 0; i++) {
        parameter->shape[parameter->ndim++] = shape[i];
    }
    parameter->slot = slot;
    builder->ok = builder->ok && parameter->name != NULL;
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

static void add_layer(struct builder *builder, struct vgg_node *node, const int64_t shape[4],
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

static void add_conv(struct builder *builder, const struct vgg_layer *layer, int ic, int index)
{
    struct vgg_node *node = builder->named
                                ? add_named(builder, VGG_OP_CONV2D, layer->name, "")
                                : add_node(builder, VGG_OP_CONV2D, builder->features, index);
    node->conv = (struct vgg_conv2d){.ic = ic,
                                     .oc = layer->channels,
                                     .kernel = layer->kernel,
                                     .stride = layer->stride,
                                     .padding = layer->padding};
    const int64_t weight[4] = {layer->channels, ic, layer->kernel, layer->kernel};
    const bool first = builder->graph.parameter_count == 0;
    add_layer(builder, node, weight,
              &(struct layer_slots){.weight = &node->conv.weight,
                                    .bias = &node->conv.bias,
                                    .has_bias = layer->bias,
                                    .layout = first ? VGG_LAYOUT_INT8_INPUT : VGG_LAYOUT_INT8});
}

/* Appends a BatchNorm named PREFIX.INDEX, or `name` in a net whose layers have names of their own. */
static void add_batch_norm(struct builder *builder, const char *name, const char *prefix, int index,
                           struct vgg_batch_norm norm)
{
    struct vgg_node *node = builder->named ? add_named(builder, VGG_OP_BATCH_NORM, name, "")
                                           : add_node(builder, VGG_OP_BATCH_NORM, prefix, index);
    node->norm = norm;
    const int64_t shape[4] = {norm.channels};
    add_parameter(builder, node, "weight", shape, &node->norm.weight);
    add_parameter(builder, node, "bias", shape, &node->norm.bias);
    add_parameter(builder, node, "running_mean", shape, &node->norm.running_mean);
    add_parameter(builder, node, "running_var", shape, &node->norm.running_var);
}

/* Appends a linear layer and its BatchNorm. */
static void add_linear(struct builder *builder, const struct vgg_head *head, int in_features)
{
    struct vgg_node *node =
        builder->named ? add_named(builder, VGG_OP_LINEAR, head->name, "")
                       : add_node(builder, VGG_OP_LINEAR, builder->classifier, head->index);
    node->linear = (struct vgg_linear){.in_features = in_features, .out_features = head->features};
    const int64_t weight[4] = {head->features, in_features};
    add_layer(builder, node, weight,
              &(struct layer_slots){.weight = &node->linear.weight,
                                    .bias = &node->linear.bias,
                                    .has_bias = head->bias,
                                    .layout = VGG_LAYOUT_INT8});
    if (head->batch_norm) {
        add_batch_norm(builder, head->norm, builder->classifier, head->index + 1,
                       (struct vgg_batch_norm){.channels = head->features,
                                               .flat = true,
                                               .eps = head->has_eps ? head->eps : DEFAULT_EPS});
    }
}

/* Appends the nodes of `features`; returns the number of output channels. */
static int build_features(struct builder *builder, const struct vgg_spec *spec)
{
    int channels = 3, index = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        switch (layer->kind) {
        case VGG_LAYER_MAX_POOL:
            add_between(builder, VGG_OP_MAX_POOL, "pool", &builder->pools, index++)->max_pool =
                (struct vgg_max_pool){.kernel = layer->kernel, .stride = layer->stride};
            break;
        case VGG_LAYER_LRN:
            add_between(builder, VGG_OP_LRN, "lrn", &builder->others, index++)->lrn =
                (struct vgg_lrn){.size = layer->kernel,
                                 .alpha = layer->alpha,
                                 .beta = layer->beta,
                                 .k = layer->k};
            break;
        case VGG_LAYER_DROPOUT:
            add_between(builder, VGG_OP_DROPOUT, "dropout", &builder->others, index++);
            break;
        case VGG_LAYER_CONV:
            add_conv(builder, layer, channels, index++);
            channels = layer->channels;
            if (layer->batch_norm) {
                add_batch_norm(
                    builder, layer->norm, builder->features, index++,
                    (struct vgg_batch_norm){.channels = channels,
                                            .eps = layer->has_eps ? layer->eps : DEFAULT_EPS});
            }
            if (builder->named) {
                add_named(builder, VGG_OP_RELU, layer->name, "relu");
            } else {
                add_node(builder, VGG_OP_RELU, builder->features, index++);
            }
            break;
        }
    }
    return channels;
}

/* Appends linear layers that have names of their own, with a ReLU between each two. */
static void build_named_classifier(struct builder *builder, const struct vgg_spec *spec,
                                   int in_features)
{
    for (size_t i = 0; i < spec->head_count; i++) {
        add_linear(builder, &spec->head[i], in_features);
        in_features = spec->head[i].features;
        if (i + 1 < spec->head_count) {
            add_named(builder, VGG_OP_RELU, spec->head[i].name, "relu");
        }
    }
}

/* Appends the nodes of `classifier`; indices without weights are ReLU and Dropout. */
static vgg_status build_classifier(struct builder *builder, const struct vgg_spec *spec,
                                   int in_features)
{
    int next = 0;
    for (size_t i = 0; i < spec->head_count; i++) {
        const struct vgg_head *head = &spec->head[i];
        int gap = head->index - next;
        if (head->index >= 0 && (gap < 0 || gap > 2)) {
            return vgg_fail(
                builder->load->err, VGG_ERR_UNSUPPORTED,
                "%s: expected %s%s before the linear layer %s.%d, found room for "
                "%d modules",
                builder->load->path, i > 0 && head[-1].batch_norm ? "BatchNorm1d, " : "",
                i == 0 ? "at most Flatten and Dropout" : "ReLU and at most Dropout",
                builder->classifier, head->index, i > 0 && head[-1].batch_norm ? gap + 1 : gap);
        }
        for (; next < head->index; next++) {
            bool relu = i > 0 && gap == head->index - next;
            add_node(builder, relu ? VGG_OP_RELU : VGG_OP_DROPOUT, builder->classifier, next);
        }
        add_linear(builder, head, in_features);
        in_features = head->features;
        next = head->index + 1 + head->batch_norm;
    }
    return VGG_OK;
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

/* Allocates the graph's lists for this number of layers. */
static vgg_status allocate(struct builder *builder, size_t layers)
{
    /* A layer is at most four modules with six parameters: a linear layer, its BatchNorm, ReLU and Dropout; two
     * modules lie between `features` and `classifier`. */
    const size_t nodes = 4 * layers + 2, parameters = 6 * layers;
    struct vgg_graph *graph = &builder->graph;
    graph->nodes = vgg_load_alloc(builder->load, nodes, sizeof *graph->nodes);
    graph->parameters = vgg_load_alloc(builder->load, parameters, sizeof *graph->parameters);
    return graph->nodes != NULL && graph->parameters != NULL
               ? VGG_OK
               : vgg_load_fail_memory(builder->load, parameters * sizeof *graph->parameters,
                                      "the net");
}

static vgg_status check_layer_count(const struct vgg_load *load, size_t layers)
{
    return layers <= load->limits->layers
               ? VGG_OK
               : vgg_fail(load->err, VGG_ERR_LIMIT, "%s: the net has %zu layers, limit is %u",
                          load->path, layers, load->limits->layers);
}

/* Appends all nodes. */
static vgg_status build(struct builder *builder, const struct vgg_spec *spec)
{
    const struct vgg_load *load = builder->load;
    const int channels = build_features(builder, spec), side = spec->avgpool;
    const int64_t features = (int64_t)channels * side * side;
    if (features > VGG_MAX_CHANNELS) {
        return vgg_fail(load->err, VGG_ERR_LIMIT,
                        "%s: the classifier's input would have %lld features, limit is %d",
                        load->path, (long long)features, VGG_MAX_CHANNELS);
    }
    add_node(builder, VGG_OP_ADAPTIVE_AVG_POOL, "avgpool", -1)->adaptive_pool =
        (struct vgg_adaptive_pool){.oh = side, .ow = side};
    add_node(builder, VGG_OP_FLATTEN, "flatten", -1);
    builder->graph.classifier_begin = builder->graph.parameter_count;
    if (builder->named) {
        build_named_classifier(builder, spec, (int)features);
        return VGG_OK;
    }
    return build_classifier(builder, spec, (int)features);
}

vgg_status vgg_graph_build(const struct vgg_load *load, const struct vgg_spec *spec,
                           struct vgg_graph *out)
{
    const size_t layers = spec->layer_count + spec->head_count;
    struct builder builder = {
        .load = load,
        .graph.context = load->arena->context,
        .features = vgg_spec_get_features(spec),
        .classifier = vgg_spec_get_classifier(spec),
        .int8 = spec->int8,
        .named = vgg_spec_is_named(spec),
        .ok = true,
    };
    vgg_status status = check_layer_count(load, layers);
    status = status ? status : allocate(&builder, layers);
    status = status ? status : build(&builder, spec);
    if (status != VGG_OK) {
        return status;
    }
    if (!builder.ok) {
        return vgg_load_fail_memory(load, builder.graph.count * sizeof *builder.graph.nodes,
                                    "the names of nodes");
    }
    if (spec->int8) {
        set_scales(&builder.graph, spec);
    }
    *out = builder.graph;
    return VGG_OK;
}
