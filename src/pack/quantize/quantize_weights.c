/* SPDX-License-Identifier: MIT */
/* Quantises weights: a scale for each output channel, and a bias that corrects the mean of the rounding errors.
 *
 * For an output channel with weights w and inputs x, integers q and the scale s make an error of Σ (w - s q) x. Its
 * mean, Σ (w - s q) mean(x), is added to the bias. The rest has approximately the variance Σ (w - s q)² var(x); s is
 * the scale that minimises it. */
#include "pack/quantize/quantize_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/tensor/layout.h"
#include "model/graph/norm.h"
#include "plan/int8/int8_build.h"

enum { MAX = 127, SCALES_TRIED = 24 };
/* The smallest scale tried, as a share of the one without clipping. */
static const double MIN_SHARE = 0.5;

struct work {
    const struct vgg_quantizer *quantizer;
    struct vgg_quantizer_layer *layer;
    const double *norm_scale, *norm_shift; /* [oc] of the BatchNorm, or NULL */
    const float *bias;                     /* [oc] or NULL */
    const float *importance;               /* [ic * area] */
    double min_input_scale; /* of the bytes that the layer reads, for any choice of scales */
    float *rows;            /* [threads][ic * area] */
};

/* Nearest integer, ties to even, for |x| < 2^22: two additions that round, which compilers vectorise. */
static float nearest(float x)
{
    const float magic = 12582912; /* 1.5 * 2^23 */
    return (x + magic) - magic;
}

static float quantize(float weight, float inverse)
{
    const float q = nearest(weight * inverse);
    return q > MAX ? MAX : q < -MAX ? -MAX : q;
}

static double measure_error(const float *weights, const float *importance, size_t count,
                            float scale)
{
    enum { LANES = 8 };
    const float inverse = 1 / scale;
    float sums[LANES] = {0};
    double total = 0;
    for (size_t begin = 0; begin < count; begin += LANES * 64) {
        const size_t end = begin + LANES * 64 < count ? begin + LANES * 64 : count;
        memset(sums, 0, sizeof sums);
        size_t i = begin;
        for (; i + LANES <= end; i += LANES) {
            for (size_t j = 0; j < LANES; j++) {
                const float error = weights[i + j] - scale * quantize(weights[i + j], inverse);
                sums[j] += importance[i + j] * error * error;
            }
        }
        for (; i < end; i++) {
            const float error = weights[i] - scale * quantize(weights[i], inverse);
            sums[0] += importance[i] * error * error;
        }
        for (size_t j = 0; j < LANES; j++) {
            total += (double)sums[j];
        }
    }
    return total;
}

/* The scale of a row with the smallest error.
 *   floor  the smallest scale allowed */
static float find_scale(const float *weights, const float *importance, size_t count, float floor)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        const float size = fabsf(weights[i]);
        largest = size > largest ? size : largest;
    }
    const float whole = largest / MAX;
    if (whole <= floor) {
        return floor;
    }
    float best = whole;
    double min = measure_error(weights, importance, count, whole);
    for (int i = 1; i < SCALES_TRIED; i++) {
        const double share = 1 - (1 - MIN_SHARE) * i / (SCALES_TRIED - 1);
        const float scale = (float)(share * (double)whole);
        const double error = scale > floor ? measure_error(weights, importance, count, scale) : min;
        if (error < min) {
            min = error;
            best = scale;
        }
    }
    return best;
}

/* Quantises one output channel. */
static void quantize_task(void *context, size_t oc, int worker)
{
    const struct work *work = context;
    struct vgg_quantizer_layer *layer = work->layer;
    const struct vgg_int8_grid *grid = &work->quantizer->grid;
    const struct vgg_tensor *source =
        layer->node->op == VGG_OP_CONV2D ? layer->node->conv.weight : layer->node->linear.weight;
    const size_t count = layer->ic * layer->area;
    const int64_t first = (int64_t)(oc * count);
    float *row = work->rows + (size_t)worker * count;
    double bias = work->bias != NULL ? (double)work->bias[oc] : 0;
    vgg_tensor_read_range(source, first, (int64_t)count, row);
    if (work->norm_scale != NULL) {
        vgg_fold_weights(row, count, work->norm_scale[oc]);
        bias = (double)vgg_fold_bias(bias, work->norm_scale[oc], work->norm_shift[oc]);
    }
    for (size_t i = 0; layer->input && i < count; i++) {
        const size_t c = i / layer->area;
        bias += (double)row[i] * (double)grid->low[c];
        row[i] *= grid->step[c];
    }
    /* Half of the largest bias, so that the correction fits, too. */
    const double floor = fabs(bias) / (work->min_input_scale * (VGG_INT8_MAX_BIAS / 2));
    const float scale =
        find_scale(row, work->importance, count, floor > 1e-12 ? (float)floor : 1e-12f);
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const float q = quantize(row[i], 1 / scale);
        /* The place in the layer's order of the element at `first + i` in row-major order. */
        const char *place = vgg_tensor_get_address(&layer->weight, first + (int64_t)i);
        layer->weights[place - (const char *)layer->weights] = (int8_t)q;
        sum += (int32_t)q;
        bias += ((double)row[i] - (double)scale * (double)q) * layer->mean[i / layer->area];
    }
    layer->scales[oc] = scale;
    layer->sums[oc] = sum;
    layer->real_bias[oc] = bias;
}

/* Computes means from sums, and from them the variance of each weight's input. */
static void finish_input(const struct vgg_quantizer *quantizer, struct vgg_quantizer_layer *layer,
                         float *importance)
{
    double total = 0;
    for (size_t c = 0; c < layer->ic; c++) {
        double mean = layer->mean[c] / (double)layer->input_count;
        double square = layer->square[c] / (double)layer->input_count;
        if (layer->input) {
            const double low = (double)quantizer->grid.low[c],
                         step = (double)quantizer->grid.step[c];
            square = (square - 2 * mean * low + low * low) / (step * step);
            mean = (mean - low) / step;
        }
        layer->mean[c] = mean;
        layer->square[c] = square;
        total += square;
    }
    /* A channel that is constant for these images may vary for others. */
    const double min = total > 0 ? 1e-3 * total / (double)layer->ic : 1;
    for (size_t c = 0; c < layer->ic; c++) {
        const double variance = layer->square[c] - layer->mean[c] * layer->mean[c];
        for (size_t k = 0; k < layer->area; k++) {
            importance[c * layer->area + k] = (float)(variance > min ? variance : min);
        }
    }
}

static vgg_status quantize_layer(struct vgg_quantizer *quantizer, size_t l, struct vgg_error *err)
{
    struct vgg_quantizer_layer *layer = &quantizer->layers[l];
    const size_t count = layer->ic * layer->area;
    const size_t threads = (size_t)vgg_pool_get_threads(quantizer->pool);
    const struct vgg_tensor *bias =
        layer->node->op == VGG_OP_CONV2D ? layer->node->conv.bias : layer->node->linear.bias;
    struct vgg_arena arena = {.context = quantizer->arena.context};
    const struct vgg_load load = {.path = quantizer->path, .arena = &arena, .err = err};
    double *norm_scale = NULL, *norm_shift = NULL;
    float *bias_values = NULL;
    float *importance = vgg_arena_alloc(&arena, count, sizeof *importance);
    float *rows = vgg_arena_alloc(&arena, threads * count, sizeof *rows);
    vgg_status status =
        importance != NULL && rows != NULL
            ? vgg_vector_read(&load, bias, &bias_values)
            : vgg_load_fail_memory(&load, threads * count * sizeof *rows, "weights");
    if (status == VGG_OK && layer->norm != NULL) {
        status = vgg_batch_norm_read(&load, &layer->norm->norm, &norm_scale, &norm_shift);
    }
    if (status == VGG_OK) {
        double min_scale = 1;
        for (int clip = 0; l > 0 && clip <= VGG_CLIP_MSE; clip++) {
            const double scale =
                (double)vgg_histogram_clip(&layer[-1].histogram, (enum vgg_clip)clip) / 255;
            min_scale = clip == 0 || scale < min_scale ? scale : min_scale;
        }
        finish_input(quantizer, layer, importance);
        struct work work = {.quantizer = quantizer,
                            .layer = layer,
                            .norm_scale = norm_scale,
                            .norm_shift = norm_shift,
                            .bias = bias_values,
                            .importance = importance,
                            .min_input_scale = min_scale,
                            .rows = rows};
        vgg_pool_run(quantizer->pool, (size_t)layer->oc, quantize_task, &work);
    }
    vgg_arena_destroy(&arena);
    return status;
}

vgg_status vgg_quantizer_quantize_weights(struct vgg_quantizer *quantizer,
                                          vgg_progress_fn *progress, void *user, int total,
                                          struct vgg_error *err)
{
    for (size_t l = 0; l < quantizer->layer_count; l++) {
        vgg_status status = quantize_layer(quantizer, l, err);
        if (status != VGG_OK) {
            return status;
        }
        if (progress != NULL) {
            progress(user, (int)l + 1, total);
        }
    }
    return VGG_OK;
}
