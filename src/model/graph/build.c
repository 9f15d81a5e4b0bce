/* From a description to the nodes of the net. */
#include "model/graph/build.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_EPS 1e-5 /* of BatchNorm */

struct builder {
    struct vgg_arena *arena;
    const char *features, *classifier; /* the Sequentials' names */
    bool int8;
    bool named; /* the layers have names of their own: what is between them is called after them */
    int pools, etc; /* so far */
    struct vgg_graph graph;
    bool ok; /* false once memory ran out */
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
    node->name = vgg_arena_copy_string(builder->arena, name, (size_t)length);
    builder->ok = builder->ok && node->name != NULL;
    return node;
}

/* The same, named as a layer calls it: NAME or NAME.WHAT. */
static struct vgg_node *add_named(struct builder *builder, enum vgg_op op, const char *name,
                                  const char *what)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s%s", name, what[0] != '\0' ? "." : "", what);
    return add_node(builder, op, whole, -1);
}

/* A node of `features` that has no weights, at a place there or in a net whose layers have names. */
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

/* Appends NODE.LEAF to the parameters; sides of 0 at the end of the shape do not count. */
static struct vgg_parameter *add_parameter(struct builder *builder, const struct vgg_node *node,
                                           const char *leaf, const int64_t shape[4],
                                           const struct vgg_tensor **slot)
{
    char name[96];
    int length = snprintf(name, sizeof name, "%s.%s", node->name != NULL ? node->name : "", leaf);
    struct vgg_parameter *parameter = &builder->graph.parameters[builder->graph.parameter_count++];
    parameter->name = vgg_arena_copy_string(builder->arena, name, (size_t)length);
    for (int i = 0; i < 4 && shape[i] > 0; i++) {
        parameter->shape[parameter->ndim++] = shape[i];
    }
    parameter->slot = slot;
    builder->ok = builder->ok && parameter->name != NULL;
    return parameter;
}

static void add_exact(struct builder *builder, const struct vgg_node *node, const char *leaf,
                      const int64_t shape[4], enum vgg_dtype dtype, enum vgg_layout layout,
                      const struct vgg_tensor **slot)
{
    struct vgg_parameter *parameter = add_parameter(builder, node, leaf, shape, slot);
    parameter->exact = true;
    parameter->dtype = dtype;
    parameter->layout = layout;
}

/* The tensors of a convolution or a linear layer.
 *   layout  of its weights in an int8 net */
static void add_layer(struct builder *builder, struct vgg_node *node, const int64_t shape[4],
                      bool has_bias, enum vgg_layout layout, const struct vgg_tensor **weight,
                      const struct vgg_tensor **bias)
{
    const int64_t channels[4] = {shape[0]};
    if (builder->int8) {
        add_exact(builder, node, "weight", shape, VGG_DTYPE_I8, layout, weight);
        add_exact(builder, node, "bias", channels, VGG_DTYPE_I32, VGG_LAYOUT_ROWS, bias);
        add_exact(builder, node, "weight_scale", channels, VGG_DTYPE_F32, VGG_LAYOUT_ROWS,
                  &node->int8.weight_scale);
        add_exact(builder, node, "weight_sum", channels, VGG_DTYPE_I32, VGG_LAYOUT_ROWS,
                  &node->int8.weight_sum);
        return;
    }
    add_parameter(builder, node, "weight", shape, weight);
    if (has_bias) {
        add_parameter(builder, node, "bias", channels, bias);
    }
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
    add_layer(builder, node, weight, layer->bias, first ? VGG_LAYOUT_INT8_INPUT : VGG_LAYOUT_INT8,
              &node->conv.weight, &node->conv.bias);
}

/* A BatchNorm named PREFIX.INDEX, or `name` in a net whose layers have names. */
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

/* A linear layer and its BatchNorm. */
static void add_linear(struct builder *builder, const struct vgg_head *head, int in_features)
{
    struct vgg_node *node =
        builder->named ? add_named(builder, VGG_OP_LINEAR, head->name, "")
                       : add_node(builder, VGG_OP_LINEAR, builder->classifier, head->index);
    node->linear = (struct vgg_linear){.in_features = in_features, .out_features = head->features};
    const int64_t weight[4] = {head->features, in_features};
    add_layer(builder, node, weight, head->bias, VGG_LAYOUT_INT8, &node->linear.weight,
              &node->linear.bias);
    if (head->batch_norm) {
        add_batch_norm(builder, head->norm, builder->classifier, head->index + 1,
                       (struct vgg_batch_norm){.channels = head->features,
                                               .flat = true,
                                               .eps = head->has_eps ? head->eps : DEFAULT_EPS});
    }
}

/* Appends `features`; returns its output channels. */
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
            add_between(builder, VGG_OP_LRN, "lrn", &builder->etc, index++)->lrn = (struct vgg_lrn){
                .size = layer->kernel, .alpha = layer->alpha, .beta = layer->beta, .k = layer->k};
            break;
        case VGG_LAYER_DROPOUT:
            add_between(builder, VGG_OP_DROPOUT, "dropout", &builder->etc, index++);
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

/* Appends linear layers with names of their own, and a ReLU between two. */
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

/* Appends `classifier`, whose places without weights are ReLU and Dropout. */
static vgg_status build_classifier(const char *path, struct builder *builder,
                                   const struct vgg_spec *spec, int in_features,
                                   struct vgg_error *err)
{
    int next = 0;
    for (size_t i = 0; i < spec->head_count; i++) {
        const struct vgg_head *head = &spec->head[i];
        int gap = head->index - next;
        if (head->index >= 0 && (gap < 0 || gap > 2)) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: expected %s%s before the linear layer %s.%d, found room for "
                            "%d modules",
                            path, i > 0 && head[-1].batch_norm ? "BatchNorm1d, " : "",
                            i == 0 ? "at most Flatten and Dropout" : "ReLU and at most Dropout",
                            builder->classifier, head->index,
                            i > 0 && head[-1].batch_norm ? gap + 1 : gap);
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

/* Gives each layer of an int8 net the scales of the bytes it reads and makes. */
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

vgg_status vgg_graph_build(const char *path, const struct vgg_spec *spec,
                           const struct vgg_limits *limits, struct vgg_arena *arena,
                           struct vgg_graph *out, struct vgg_error *err)
{
    size_t layers = spec->layer_count + spec->head_count;
    if (layers > limits->layers) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: the net has %zu layers, limit is %u", path, layers,
                        limits->layers);
    }
    /* A layer is four modules with six parameters at most: a linear one, its BatchNorm, ReLU and Dropout; two
     * modules lie between `features` and `classifier`. */
    size_t nodes = 4 * layers + 2, parameters = 6 * layers;
    struct builder builder = {
        .arena = arena,
        .graph.context = arena->context,
        .features = vgg_spec_get_features(spec),
        .classifier = vgg_spec_get_classifier(spec),
        .int8 = spec->int8,
        .named = vgg_spec_is_named(spec),
        .ok = true,
    };
    builder.graph.nodes = vgg_arena_alloc(arena, nodes, sizeof *builder.graph.nodes);
    builder.graph.parameters = vgg_arena_alloc(arena, parameters, sizeof(struct vgg_parameter));
    if (builder.graph.nodes == NULL || builder.graph.parameters == NULL) {
        return vgg_fail_memory(err, path, parameters * sizeof(struct vgg_parameter), "the net");
    }
    int channels = build_features(&builder, spec);
    int side = spec->avgpool;
    int64_t features = (int64_t)channels * side * side;
    if (features > VGG_MAX_CHANNELS) {
        return vgg_fail(err, VGG_ERR_LIMIT,
                        "%s: the classifier's input would have %lld features, limit is %d", path,
                        (long long)features, VGG_MAX_CHANNELS);
    }
    add_node(&builder, VGG_OP_ADAPTIVE_AVG_POOL, "avgpool", -1)->avg_pool =
        (struct vgg_adaptive_avg_pool){.oh = side, .ow = side};
    add_node(&builder, VGG_OP_FLATTEN, "flatten", -1);
    builder.graph.classifier_begin = builder.graph.parameter_count;
    vgg_status status = VGG_OK;
    if (builder.named) {
        build_named_classifier(&builder, spec, (int)features);
    } else {
        status = build_classifier(path, &builder, spec, (int)features, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (!builder.ok) {
        return vgg_fail_memory(err, path, nodes * sizeof *builder.graph.nodes, "its names");
    }
    if (spec->int8) {
        set_scales(&builder.graph, spec);
    }
    *out = builder.graph;
    return VGG_OK;
}
