/* SPDX-License-Identifier: MIT */
/* Lists the layers that are quantised, and makes the nodes of the int8 net. */
#include "pack/quantize/quantize_layers.h"

#include <string.h>

#include "checkpoint/tensor/layout.h"
#include "plan/int8/int8_build.h"
#include "plan/executor.h"
#include "plan/plan.h"

static bool is(const struct vgg_node *nodes, size_t count, size_t i, enum vgg_op op)
{
    return i < count && nodes[i].op == op;
}

static bool has_weights(const struct vgg_node *node)
{
    return node->op == VGG_OP_CONV2D || node->op == VGG_OP_LINEAR;
}

/* The layer that begins at nodes[i] of the model. */
static struct vgg_quantizer_layer view_layer(const struct vgg_node *nodes, size_t count, size_t i)
{
    const struct vgg_node *node = &nodes[i];
    struct vgg_quantizer_layer layer = {.node = node, .output = node, .input = i == 0};
    if (node->op == VGG_OP_CONV2D) {
        layer.oc = node->conv.oc;
        layer.ic = (size_t)node->conv.ic;
        layer.area = (size_t)node->conv.kernel * (size_t)node->conv.kernel;
    } else {
        layer.oc = node->linear.out_features;
        layer.ic = (size_t)node->linear.in_features;
        layer.area = 1;
    }
    if (is(nodes, count, i + 1, VGG_OP_BATCH_NORM)) {
        layer.norm = &nodes[++i];
    }
    if (is(nodes, count, i + 1, VGG_OP_RELU)) {
        layer.output = &nodes[i + 1];
    }
    return layer;
}

static struct vgg_tensor make_tensor(const char *name, enum vgg_dtype dtype, int oc,
                                     const void *data)
{
    return (struct vgg_tensor){.name = name,
                               .dtype = dtype,
                               .ndim = 1,
                               .shape = {oc},
                               .stride = {1},
                               .data = data,
                               .file_offset = VGG_NO_OFFSET};
}

/* Allocates a layer's arrays, and makes the tensors of the int8 net from them. */
static vgg_status allocate_layer(struct vgg_quantizer *quantizer, struct vgg_quantizer_layer *layer,
                                 struct vgg_error *err)
{
    struct vgg_arena *arena = &quantizer->arena;
    const size_t oc = (size_t)layer->oc;
    const bool conv = layer->node->op == VGG_OP_CONV2D;
    const int64_t kernel = conv ? layer->node->conv.kernel : 0;
    struct vgg_tensor *weight = &layer->weight;
    uint64_t bytes;
    *weight = (struct vgg_tensor){.name = layer->node->name,
                                  .dtype = VGG_DTYPE_I8,
                                  .ndim = conv ? 4 : 2,
                                  .shape = {layer->oc, (int64_t)layer->ic, kernel, kernel},
                                  .file_offset = VGG_NO_OFFSET,
                                  .layout = layer->input ? VGG_LAYOUT_INT8_INPUT : VGG_LAYOUT_INT8};
    if (!vgg_layout_get(weight->layout)->measure(weight->shape, weight->ndim, &bytes)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: %s: no int8 weights have this shape",
                        quantizer->path, layer->node->name);
    }
    layer->weight_bytes = (size_t)bytes;
    layer->weights = vgg_arena_alloc(arena, layer->weight_bytes, 1);
    layer->biases = vgg_arena_alloc(arena, oc, sizeof *layer->biases);
    layer->sums = vgg_arena_alloc(arena, oc, sizeof *layer->sums);
    layer->scales = vgg_arena_alloc(arena, oc, sizeof *layer->scales);
    layer->real_bias = vgg_arena_alloc(arena, oc, sizeof *layer->real_bias);
    layer->mean = vgg_arena_alloc(arena, layer->ic, sizeof *layer->mean);
    layer->square = vgg_arena_alloc(arena, layer->ic, sizeof *layer->square);
    layer->histogram.bins =
        vgg_arena_alloc(arena, VGG_HISTOGRAM_BINS, sizeof *layer->histogram.bins);
    if (layer->weights == NULL || layer->biases == NULL || layer->sums == NULL ||
        layer->scales == NULL || layer->real_bias == NULL || layer->mean == NULL ||
        layer->square == NULL || layer->histogram.bins == NULL) {
        return vgg_fail_memory(err, quantizer->path, layer->weight_bytes, layer->node->name);
    }
    for (size_t i = 0; i < oc; i++) {
        layer->scales[i] = 1;
    }
    weight->data = layer->weights;
    layer->bias = make_tensor(layer->node->name, VGG_DTYPE_I32, layer->oc, layer->biases);
    layer->weight_sum = make_tensor(layer->node->name, VGG_DTYPE_I32, layer->oc, layer->sums);
    layer->weight_scale = make_tensor(layer->node->name, VGG_DTYPE_F32, layer->oc, layer->scales);
    return VGG_OK;
}

/* Points the int8 net's node to the layer's tensors. */
static void bind_node(struct vgg_node *node, struct vgg_quantizer_layer *layer)
{
    layer->int8 = node;
    if (node->op == VGG_OP_CONV2D) {
        node->conv.weight = &layer->weight;
        node->conv.bias = &layer->bias;
    } else {
        node->linear.weight = &layer->weight;
        node->linear.bias = &layer->bias;
    }
    node->int8.weight_scale = &layer->weight_scale;
    node->int8.weight_sum = &layer->weight_sum;
}

vgg_status vgg_quantizer_list_layers(struct vgg_quantizer *quantizer, struct vgg_error *err)
{
    size_t count, next = 0;
    const struct vgg_node *nodes = vgg_model_get_nodes(quantizer->model, &count);
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < count; i++) {
        quantizer->layer_count += has_weights(&nodes[i]);
    }
    quantizer->layers =
        vgg_arena_alloc(&quantizer->arena, quantizer->layer_count, sizeof *quantizer->layers);
    quantizer->nodes = vgg_arena_alloc(&quantizer->arena, count, sizeof *quantizer->nodes);
    if (quantizer->layers == NULL || quantizer->nodes == NULL) {
        return vgg_fail_memory(err, quantizer->path, count * sizeof *quantizer->nodes, "the net");
    }
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        struct vgg_node *node = &quantizer->nodes[quantizer->node_count++];
        *node = nodes[i];
        if (has_weights(node)) {
            struct vgg_quantizer_layer *layer = &quantizer->layers[next++];
            *layer = view_layer(nodes, count, i);
            layer->logits = next == quantizer->layer_count;
            layer->output_scale = layer->logits ? 0 : 1;
            status = allocate_layer(quantizer, layer, err);
            bind_node(node, layer);
            i += layer->norm != NULL;
        }
    }
    if (status == VGG_OK) {
        /* Check that a plan can be made of it. */
        struct vgg_quantizer_runner runner;
        vgg_quantizer_set_scales(quantizer);
        status = vgg_quantizer_plan(quantizer, NULL, &runner, err);
        vgg_quantizer_free_plan(&runner);
    }
    return status;
}

void vgg_quantizer_set_scales(struct vgg_quantizer *quantizer)
{
    double input_scale = 1;
    for (size_t l = 0; l < quantizer->layer_count; l++) {
        struct vgg_quantizer_layer *layer = &quantizer->layers[l];
        layer->int8->int8.input_scale = (float)input_scale;
        layer->int8->int8.output_scale = layer->output_scale;
        for (int i = 0; i < layer->oc; i++) {
            /* Rounded, ties away from zero; quantize_weights.c has chosen scales with which it fits. */
            const double bias = layer->real_bias[i] / (input_scale * (double)layer->scales[i]);
            const double max = VGG_INT8_MAX_BIAS;
            const double clamped = bias > max ? max : bias < -max ? -max : bias;
            layer->biases[i] = (int32_t)(clamped + (clamped < 0 ? -0.5 : 0.5));
        }
        input_scale = (double)layer->output_scale;
    }
}

vgg_status vgg_quantizer_plan(struct vgg_quantizer *quantizer, vgg_node_fn *on_node,
                              struct vgg_quantizer_runner *out, struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    const struct vgg_plan_options options = {
        .context = quantizer->arena.context,
        .kernels = quantizer->float_kernels,
        .int8 = quantizer->kernels,
        .grid = &quantizer->grid,
        .batch = 1,
        .unfused = on_node != NULL,
        .input = quantizer->input,
        .activation_bytes = limits.activation_bytes,
    };
    *out = (struct vgg_quantizer_runner){0};
    const struct vgg_net net = {quantizer->nodes, quantizer->node_count, quantizer->path};
    const struct vgg_node_listener listener = {on_node, quantizer};
    vgg_status status = vgg_plan_create(&net, &options, quantizer->pool, &out->plan, err);
    return status == VGG_OK
               ? vgg_executor_create(out->plan, quantizer->pool, &listener, &out->executor, err)
               : status;
}

void vgg_quantizer_free_plan(struct vgg_quantizer_runner *runner)
{
    vgg_executor_destroy(runner->executor);
    vgg_plan_destroy(runner->plan);
}
