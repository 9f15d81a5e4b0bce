/* SPDX-License-Identifier: MIT */
/* The public functions of quantisation: calibration images in, results by layer out. */
#include "pack/quantize/quantizer_types.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"
#include "pack/packable.h"
#include "pack/quantize/input_grid.h"
#include "pack/quantize/quantize_layers.h"

enum {
    /* Images that scales are chosen with. */
    MIN_SAMPLES = 8,
    MAX_SAMPLES = 256,
};
/* Multiply-adds of one try of scales; the minimum of images may need more. */
static const double TRY_MULTIPLY_ADDS = 1e11;
/* Bytes of these images. */
static const size_t SAMPLE_BYTES = (size_t)64 << 20;

/* --- statistics of the float32 net ---------------------------------------------------------- */

/* Adds an input of a layer, [ic][per_channel], to its statistics. */
static void add_input(struct vgg_quantizer_layer *layer, const float *x, size_t per_channel)
{
    for (size_t c = 0; c < layer->ic; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < per_channel; i++, x++) {
            sum += (double)*x;
            squares += (double)*x * (double)*x;
        }
        layer->mean[c] += sum;
        layer->square[c] += squares;
    }
    layer->input_count += per_channel;
}

/* Receives the output of each node: the input of the layer after it, and the output of the layer that it ends. */
static void observe_node(void *user, const char *name, const int64_t *shape, int ndim,
                         const float *data)
{
    (void)name;
    struct vgg_quantizer *quantizer = user;
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(quantizer->model, &count);
    const struct vgg_node *node = &nodes[quantizer->current_node++];
    const size_t per_channel = ndim == 4 ? (size_t)(shape[2] * shape[3]) : 1;
    const size_t elements = (size_t)shape[1] * per_channel;
    for (size_t l = 0; l < quantizer->layer_count; l++) {
        struct vgg_quantizer_layer *layer = &quantizer->layers[l];
        if (quantizer->chosen) {
            if (layer->output == node) {
                memcpy(quantizer->outputs[l], data, elements * sizeof *data);
            }
            continue;
        }
        if (layer->node == node + 1) {
            add_input(layer, data, per_channel);
        }
        if (layer->output == node && !layer->logits &&
            !vgg_histogram_add(&layer->histogram, data, elements)) {
            quantizer->non_finite = true;
        }
    }
}

/* --- creation ---------------------------------------------------------------------------------- */

static int choose_sample_max(const struct vgg_quantizer *quantizer)
{
    double multiply_adds = 1;
    for (size_t i = 0; i < vgg_model_get_node_count(quantizer->model); i++) {
        struct vgg_node_info node;
        vgg_model_get_node(quantizer->model, i, &node);
        multiply_adds += node.multiply_adds;
    }
    const double by_time = TRY_MULTIPLY_ADDS / multiply_adds;
    const size_t by_memory = SAMPLE_BYTES / (quantizer->input_elements * sizeof(float));
    const int count = by_time < MIN_SAMPLES   ? MIN_SAMPLES
                      : by_time > MAX_SAMPLES ? MAX_SAMPLES
                                              : (int)by_time;
    return (size_t)count < by_memory ? count : by_memory < 1 ? 1 : (int)by_memory;
}

static vgg_status allocate(struct vgg_quantizer *quantizer, struct vgg_error *err)
{
    struct vgg_arena *arena = &quantizer->arena;
    quantizer->sample_max = choose_sample_max(quantizer);
    quantizer->samples = vgg_arena_alloc(arena, (size_t)quantizer->sample_max, sizeof(float *));
    quantizer->sample_logits =
        vgg_arena_alloc(arena, (size_t)quantizer->sample_max * (size_t)quantizer->class_count,
                        sizeof *quantizer->sample_logits);
    quantizer->logits =
        vgg_arena_alloc(arena, 2 * (size_t)quantizer->class_count, sizeof *quantizer->logits);
    quantizer->outputs = vgg_arena_alloc(arena, quantizer->layer_count, sizeof(float *));
    return quantizer->samples != NULL && quantizer->logits != NULL &&
                   quantizer->sample_logits != NULL && quantizer->outputs != NULL
               ? VGG_OK
               : vgg_fail_memory(err, quantizer->path,
                                 (size_t)quantizer->sample_max * (size_t)quantizer->class_count *
                                     sizeof(float),
                                 "the logits");
}

static vgg_status start(struct vgg_quantizer *quantizer,
                        const struct vgg_quantizer_options *options, struct vgg_error *err)
{
    struct vgg_model_info info;
    const int threads = options->threads > 0 ? options->threads : vgg_cpu_count();
    const struct vgg_session_options session_options = {
        .threads = threads,
        .isa = options->isa,
        .on_node = observe_node,
        .on_node_user = quantizer,
    };
    vgg_model_get_info(quantizer->model, &info);
    quantizer->class_count = info.class_count;
    quantizer->input = vgg_model_get_input_shape(quantizer->model);
    if (quantizer->input.c != 3) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: int8 weights: expected a net for images of 3 channels, got one of %d",
                        quantizer->path, quantizer->input.c);
    }
    quantizer->input_elements = 3 * (size_t)quantizer->input.h * (size_t)quantizer->input.w;
    for (int c = 0; c < 3; c++) {
        quantizer->min[c] = INFINITY;
        quantizer->max[c] = -INFINITY;
    }
    vgg_quantizer_make_grid(quantizer);
    quantizer->float_kernels = vgg_kernels_find(options->isa, NULL);
    quantizer->kernels = vgg_int8_kernels_find(options->isa);
    if (quantizer->float_kernels == NULL || quantizer->kernels == NULL) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "this CPU or build has no %s kernels",
                        vgg_isa_string(options->isa));
    }
    vgg_status status =
        vgg_model_check_size(quantizer->model, quantizer->input.h, quantizer->input.w, err);
    if (status == VGG_OK) {
        status = vgg_pool_create(threads, quantizer->arena.context, &quantizer->pool, err);
    }
    if (status == VGG_OK) {
        status = vgg_quantizer_list_layers(quantizer, err);
    }
    if (status == VGG_OK) {
        status = allocate(quantizer, err);
    }
    return status == VGG_OK
               ? vgg_session_create(quantizer->model, &session_options, &quantizer->session, err)
               : status;
}

vgg_status vgg_quantizer_create(const vgg_model *model, const struct vgg_quantizer_options *options,
                                vgg_quantizer **out, struct vgg_error *err)
{
    static const struct vgg_quantizer_options defaults;
    const struct vgg_context *context = vgg_model_get_context(model);
    *out = NULL;
    options = options != NULL ? options : &defaults;
    if (options->threads < 0 || options->threads > VGG_MAX_THREADS) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "threads: expected 1 to %d, got %d", VGG_MAX_THREADS,
                        options->threads);
    }
    vgg_status status = vgg_isa_check(err);
    if (status != VGG_OK || (status = vgg_model_check_packable(model, err)) != VGG_OK ||
        (status = vgg_model_check_plain(model, err)) != VGG_OK) {
        return status;
    }
    struct vgg_quantizer *quantizer =
        vgg_mem_alloc_cleared(vgg_allocator_of(context), 1, sizeof *quantizer);
    if (quantizer == NULL) {
        return vgg_fail_memory(err, vgg_model_get_path(model), sizeof *quantizer, "the quantizer");
    }
    quantizer->model = model;
    quantizer->path = vgg_model_get_path(model);
    quantizer->arena.context = context;
    status = start(quantizer, options, err);
    if (status != VGG_OK) {
        vgg_quantizer_destroy(quantizer);
        return status;
    }
    *out = quantizer;
    return VGG_OK;
}

void vgg_quantizer_destroy(vgg_quantizer *quantizer)
{
    if (quantizer == NULL) {
        return;
    }
    const struct vgg_allocator *allocator = vgg_allocator_of(quantizer->arena.context);
    vgg_quantizer_free_plan(&quantizer->runner);
    vgg_session_destroy(quantizer->session);
    vgg_pool_destroy(quantizer->pool);
    vgg_arena_destroy(&quantizer->arena);
    vgg_mem_free(allocator, quantizer);
}

/* --- adding images ---------------------------------------------------------------------------- */

/* Notes the range of an input, and whether it lies on the grid of the preprocessing. */
static void observe_input(struct vgg_quantizer *quantizer, const float *input)
{
    const size_t plane = quantizer->input_elements / 3;
    for (int c = 0; c < 3; c++) {
        const float low = quantizer->grid.low[c], step = quantizer->grid.step[c];
        for (size_t i = 0; i < plane; i++) {
            const float x = input[(size_t)c * plane + i], q = (x - low) / step;
            quantizer->off_grid |= !(fabsf(q - rintf(q)) < 1e-2f && q > -0.5f && q < 255.5f);
            quantizer->min[c] = x < quantizer->min[c] ? x : quantizer->min[c];
            quantizer->max[c] = x > quantizer->max[c] ? x : quantizer->max[c];
        }
    }
}

static vgg_status add_sample(struct vgg_quantizer *quantizer, const float *input,
                             struct vgg_error *err)
{
    const size_t bytes = quantizer->input_elements * sizeof *input;
    float *copy = vgg_arena_alloc(&quantizer->arena, bytes, 1);
    if (copy == NULL) {
        return vgg_fail_memory(err, quantizer->path, bytes, "an image");
    }
    memcpy(copy, input, bytes);
    quantizer->samples[quantizer->sample_count] = copy;
    return VGG_OK;
}

vgg_status vgg_quantizer_add(vgg_quantizer *quantizer, const float *input, struct vgg_error *err)
{
    float *logits = quantizer->logits;
    vgg_status status = VGG_OK;
    if (quantizer->chosen) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "%s: the scales have been chosen already",
                        quantizer->path);
    }
    if (quantizer->sample_count < quantizer->sample_max) {
        logits =
            quantizer->sample_logits + (ptrdiff_t)quantizer->sample_count * quantizer->class_count;
        status = add_sample(quantizer, input, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    observe_input(quantizer, input);
    add_input(&quantizer->layers[0], input, quantizer->input_elements / 3);
    quantizer->current_node = 0;
    status = vgg_session_run(quantizer->session, input, 1, logits, err);
    if (status == VGG_OK && quantizer->non_finite) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: the net's activations on this image are not finite", quantizer->path);
    }
    quantizer->sample_count += logits != quantizer->logits;
    quantizer->totals.added++;
    return status;
}
