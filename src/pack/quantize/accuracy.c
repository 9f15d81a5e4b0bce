/* SPDX-License-Identifier: MIT */
/* Compares the int8 net with the float32 net, layer by layer. */
#include <math.h>
#include <string.h>

#include "pack/quantize/quantizer_types.h"
#include "pack/quantize/quantize_layers.h"
#include "plan/executor.h"

static double snr_db(double signal, double noise)
{
    return 10 * log10(signal / noise);
}

/* Receives the outputs of the int8 net, and compares those of layers with the float32 net's. */
static void compare_node(void *user, const char *name, const int64_t *shape, int ndim,
                         const float *data)
{
    struct vgg_quantizer *quantizer = user;
    size_t count = 1;
    for (int i = 1; i < ndim; i++) {
        count *= (size_t)shape[i];
    }
    for (size_t l = 0; l < quantizer->layer_count; l++) {
        struct vgg_quantizer_layer *layer = &quantizer->layers[l];
        if (strcmp(layer->output->name, name) == 0) {
            const float *expected = quantizer->outputs[l];
            for (size_t i = 0; i < count; i++) {
                const double difference = (double)data[i] - (double)expected[i];
                layer->signal += (double)expected[i] * (double)expected[i];
                layer->noise += difference * difference;
            }
        }
    }
}

/* Makes an unfused plan of the int8 net, and allocates memory for the float32 net's outputs. */
static vgg_status prepare(struct vgg_quantizer *quantizer, struct vgg_error *err)
{
    vgg_status status = vgg_quantizer_plan(quantizer, compare_node, &quantizer->runner, err);
    for (size_t l = 0; l < quantizer->layer_count && status == VGG_OK; l++) {
        const struct vgg_node *output = quantizer->layers[l].output;
        size_t elements = 0;
        for (size_t i = 0; i < vgg_model_get_node_count(quantizer->model); i++) {
            struct vgg_node_info node;
            vgg_model_get_node(quantizer->model, i, &node);
            if (strcmp(node.name, output->name) == 0) {
                elements = (size_t)node.channels * (size_t)node.height * (size_t)node.width;
            }
        }
        quantizer->outputs[l] =
            vgg_arena_alloc(&quantizer->arena, elements, sizeof *quantizer->outputs[l]);
        if (quantizer->outputs[l] == NULL) {
            status = vgg_fail_memory(err, quantizer->path, elements * sizeof(float), output->name);
        }
    }
    return status;
}

vgg_status vgg_quantizer_measure(vgg_quantizer *quantizer, const float *input,
                                 struct vgg_error *err)
{
    const int classes = quantizer->class_count;
    float *logits = quantizer->logits, *int8_logits = quantizer->logits + classes;
    struct vgg_ranked best, int8_best;
    if (!quantizer->chosen) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "%s: expected chosen scales, got none",
                        quantizer->path);
    }
    vgg_status status = quantizer->runner.executor == NULL ? prepare(quantizer, err) : VGG_OK;
    if (status != VGG_OK) {
        return status;
    }
    quantizer->current_node = 0;
    status = vgg_session_run(quantizer->session, input, 1, logits, err);
    if (status != VGG_OK) {
        return status;
    }
    vgg_executor_run(quantizer->runner.executor, input, 1, int8_logits);
    for (int i = 0; i < classes; i++) {
        const double difference = fabs((double)int8_logits[i] - (double)logits[i]);
        quantizer->difference += difference;
        quantizer->totals.max_abs =
            difference > quantizer->totals.max_abs ? difference : quantizer->totals.max_abs;
    }
    vgg_rank(logits, classes, 1, &best);
    vgg_rank(int8_logits, classes, 1, &int8_best);
    quantizer->totals.same_top1 += best.index == int8_best.index;
    quantizer->totals.measured++;
    return VGG_OK;
}

size_t vgg_quantizer_get_layer_count(const vgg_quantizer *quantizer)
{
    return quantizer->layer_count;
}

void vgg_quantizer_get_layer(const vgg_quantizer *quantizer, size_t index,
                             struct vgg_quantized_layer *out)
{
    const struct vgg_quantizer_layer *layer = &quantizer->layers[index];
    *out = (struct vgg_quantized_layer){
        .name = layer->node->name,
        .output = layer->output->name,
        .snr_db =
            quantizer->totals.measured > 0 ? snr_db(layer->signal, layer->noise) : (double)NAN,
    };
    if (!layer->logits) {
        const float clip = 255 * layer->output_scale;
        out->clip = layer->clip;
        out->scale = layer->output_scale;
        out->largest = layer->histogram.largest;
        out->rounding_snr_db = snr_db(layer->histogram.squares,
                                      vgg_histogram_error(&layer->histogram, clip, &out->clipped));
    }
}

void vgg_quantizer_get_totals(const vgg_quantizer *quantizer, struct vgg_quantized_totals *out)
{
    const struct vgg_quantizer_layer *last = &quantizer->layers[quantizer->layer_count - 1];
    *out = quantizer->totals;
    out->snr_db = (double)NAN;
    if (out->measured > 0) {
        out->snr_db = snr_db(last->signal, last->noise);
        out->mean_abs = quantizer->difference / out->measured / quantizer->class_count;
    }
}
