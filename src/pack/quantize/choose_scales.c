/* SPDX-License-Identifier: MIT */
/* Chooses the scales of activations that minimise the int8 net's error in the logits.
 *
 * First each method is tried for all layers at once. Starting with the best, the other methods are then tried for one
 * layer after the other. */
#include <math.h>

#include "pack/quantize/quantizer_types.h"
#include "pack/quantize/input_grid.h"
#include "pack/quantize/quantize_layers.h"
#include "pack/quantize/quantize_weights.h"
#include "plan/executor.h"

enum { METHODS = VGG_CLIP_MSE + 1 };
/* Limits of a description, see model/spec/spec.c. */
static const float MIN_SCALE = 1e-12f, MAX_SCALE = 1e12f;
/* An error must fall below this share of the best one; a smaller improvement may be chance. */
static const double WORTH = 0.995;

struct search {
    struct vgg_quantizer *quantizer;
    vgg_progress_fn *progress;
    void *user;
    int done, total;
    struct vgg_error *err;
};

static void set_clip(struct vgg_quantizer_layer *layer, enum vgg_clip clip)
{
    const float scale = vgg_histogram_clip(&layer->histogram, clip) / 255;
    layer->clip = clip;
    layer->output_scale = scale < MIN_SCALE ? MIN_SCALE : scale > MAX_SCALE ? MAX_SCALE : scale;
}

/* The squared error of the logits of the sample images. */
static vgg_status try_scales(struct search *search, double *error)
{
    struct vgg_quantizer *quantizer = search->quantizer;
    struct vgg_quantizer_runner runner;
    *error = 0;
    vgg_quantizer_set_scales(quantizer);
    vgg_status status = vgg_quantizer_plan(quantizer, NULL, &runner, search->err);
    for (int n = 0; n < quantizer->sample_count && status == VGG_OK; n++) {
        const float *expected = quantizer->sample_logits + (ptrdiff_t)n * quantizer->class_count;
        vgg_executor_run(runner.executor, quantizer->samples[n], 1, quantizer->logits);
        for (int i = 0; i < quantizer->class_count; i++) {
            const double difference = (double)quantizer->logits[i] - (double)expected[i];
            *error += difference * difference;
        }
    }
    vgg_quantizer_free_plan(&runner);
    search->done++;
    if (search->progress != NULL) {
        search->progress(search->user, search->done, search->total);
    }
    return status;
}

/* Tries each method for all layers, and leaves the best in place. */
static vgg_status try_methods(struct search *search, double *best_error)
{
    struct vgg_quantizer *quantizer = search->quantizer;
    enum vgg_clip best = VGG_CLIP_MIN_MAX;
    double error;
    for (int clip = 0; clip < METHODS; clip++) {
        for (size_t l = 0; l + 1 < quantizer->layer_count; l++) {
            set_clip(&quantizer->layers[l], (enum vgg_clip)clip);
        }
        vgg_status status = try_scales(search, &error);
        if (status != VGG_OK) {
            return status;
        }
        if (clip == 0 || error < *best_error) {
            best = (enum vgg_clip)clip;
            *best_error = error;
        }
    }
    for (size_t l = 0; l + 1 < quantizer->layer_count; l++) {
        set_clip(&quantizer->layers[l], best);
    }
    return VGG_OK;
}

/* Tries the other methods for one layer. */
static vgg_status try_layer(struct search *search, struct vgg_quantizer_layer *layer,
                            double *best_error)
{
    enum vgg_clip best = layer->clip;
    const enum vgg_clip before = best;
    double error;
    for (int clip = 0; clip < METHODS; clip++) {
        if (clip == (int)before) {
            continue;
        }
        set_clip(layer, (enum vgg_clip)clip);
        vgg_status status = try_scales(search, &error);
        if (status != VGG_OK) {
            return status;
        }
        if (error < WORTH * *best_error) {
            best = (enum vgg_clip)clip;
            *best_error = error;
        }
    }
    set_clip(layer, best);
    return VGG_OK;
}

vgg_status vgg_quantizer_choose(vgg_quantizer *quantizer, vgg_progress_fn *progress, void *user,
                                struct vgg_error *err)
{
    const int layers = (int)quantizer->layer_count;
    struct search search = {.quantizer = quantizer,
                            .progress = progress,
                            .user = user,
                            .done = layers,
                            .total = layers + METHODS + (METHODS - 1) * (layers - 1),
                            .err = err};
    double best_error = 0;
    if (quantizer->totals.added == 0 || quantizer->chosen) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "%s: %s", quantizer->path,
                        quantizer->chosen ? "the scales have been chosen already"
                                          : "expected images to choose scales with, got none");
    }
    vgg_quantizer_make_grid(quantizer);
    vgg_status status =
        vgg_quantizer_quantize_weights(quantizer, progress, user, search.total, err);
    if (status == VGG_OK) {
        status = try_methods(&search, &best_error);
    }
    for (int l = 0; l + 1 < layers && status == VGG_OK; l++) {
        status = try_layer(&search, &quantizer->layers[l], &best_error);
    }
    if (status == VGG_OK) {
        vgg_quantizer_set_scales(quantizer);
        quantizer->chosen = true;
    }
    return status;
}
