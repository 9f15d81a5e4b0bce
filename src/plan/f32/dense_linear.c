/* SPDX-License-Identifier: MIT */
/* Dense evaluation: fully connected layers applied to every window of an image, as in the VGG paper. To such a layer,
 * windows are what a batch of images is to others: some of them are gathered, each as one row of features, and the
 * layer's weights, which stay in the file's pages, are read once for all of them. */
#include "plan/f32/dense_linear.h"

#include <string.h>

#include "plan/f32/linear.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/sparse_linear.h"

enum {
    /* With this many windows, computing takes longer than reading the weights from memory. */
    MAX_WINDOWS = 64,
    /* Scratch may take this fraction of the activation limit. */
    SCRATCH_SHARE = 4,
    LINE = VGG_ALIGN_BYTES / sizeof(float),
};

/* What the tasks of some windows need. */
struct dense_run {
    const struct vgg_step *step;
    const struct vgg_activation *in, *out;
    /* Windows, counted over all images. */
    int64_t first;
    int count;
    /* [count][window_stride], [count][product_stride] */
    float *windows, *products;
    size_t window_stride, product_stride;
};

static size_t count_features(const struct vgg_conv2d *conv)
{
    return (size_t)conv->ic * (size_t)conv->kernel * (size_t)conv->kernel;
}

int vgg_dense_choose(const struct vgg_plan *plan, const struct vgg_step *step, struct vgg_shape in,
                     struct vgg_scratch *scratch)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const size_t window =
        vgg_size_round_up(count_features(conv), LINE) + vgg_size_round_up((size_t)conv->oc, LINE);
    const double all =
        ((double)in.h - conv->kernel + 1) * ((double)in.w - conv->kernel + 1) * plan->options.batch;
    const bool columns = vgg_is_column_major(conv->weight);
    const int features = (int)count_features(conv);
    /* At most, for each window. */
    const size_t listed = columns ? vgg_sparse_linear_count_scratch(features, 1) : 0;
    const uint64_t fitting =
        plan->options.activation_bytes / SCRATCH_SHARE / ((window + listed) * sizeof(float));
    int windows = MAX_WINDOWS;
    windows = all < windows ? (int)all : windows;
    windows = fitting < (uint64_t)windows ? (int)fitting : windows;
    windows = windows > 1 ? windows : 1;
    *scratch = (struct vgg_scratch){.slots = 1, .slot_elements = (size_t)windows * window};
    if (columns) {
        scratch->slot_elements += vgg_sparse_linear_count_scratch(features, windows);
    }
    return windows;
}

/* The image, row and column of a window. */
struct place {
    int n, h, w;
};

static struct place place_of(const struct dense_run *run, size_t index)
{
    const int64_t positions = (int64_t)run->out->shape.h * run->out->shape.w;
    const int64_t window = run->first + (int64_t)index, within = window % positions;
    return (struct place){.n = (int)(window / positions),
                          .h = (int)(within / run->out->shape.w),
                          .w = (int)(within % run->out->shape.w)};
}

/* Gathers one window as features [ic][kernel][kernel]. */
static void gather_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct dense_run *run = context;
    const struct vgg_activation *in = run->in;
    const struct place place = place_of(run, index);
    const int kernel = run->step->linear.kernel;
    float *to = run->windows + index * run->window_stride;
    const float *corner = in->data + place.n * in->n_stride + place.h * in->row_stride +
                          (ptrdiff_t)place.w * in->lanes;
    for (int c = 0; c < in->shape.c; c++) {
        const float *x = corner + c / in->lanes * in->block_stride + c % in->lanes;
        for (int kh = 0; kh < kernel; kh++) {
            for (int kw = 0; kw < kernel; kw++) {
                *to++ = x[kh * in->row_stride + (ptrdiff_t)kw * in->lanes];
            }
        }
    }
}

/* Stores one window's products in their pixel, and zeros in the channels beyond the real ones. */
static void scatter_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct dense_run *run = context;
    const struct vgg_activation *out = run->out;
    const struct place place = place_of(run, index);
    const float *from = run->products + index * run->product_stride;
    float *pixel = out->data + place.n * out->n_stride + place.h * out->row_stride +
                   (ptrdiff_t)place.w * out->lanes;
    for (int block = 0; block < out->blocks; block++) {
        const int left = out->shape.c - block * out->lanes;
        const int channels = left < out->lanes ? left : out->lanes;
        float *y = pixel + block * out->block_stride;
        memcpy(y, from + block * out->lanes, (size_t)channels * sizeof *y);
        memset(y + channels, 0, (size_t)(out->lanes - channels) * sizeof *y);
    }
}

void vgg_dense_run(const struct vgg_executor *executor, const struct vgg_step *step)
{
    const int windows = step->linear.windows;
    const size_t area = (size_t)step->linear.kernel * (size_t)step->linear.kernel;
    struct vgg_pool *pool = executor->pool;
    struct dense_run run = {
        .step = step,
        .in = &executor->activations[step->in],
        .out = &executor->activations[step->out],
        .windows = vgg_executor_get_state(executor, step)->scratch,
    };
    run.window_stride = vgg_size_round_up((size_t)run.in->shape.c * area, LINE);
    run.product_stride = vgg_size_round_up((size_t)run.out->shape.c, LINE);
    const int64_t all = (int64_t)run.out->shape.h * run.out->shape.w * executor->count;
    run.products = run.windows + (size_t)windows * run.window_stride;
    for (run.first = 0; run.first < all; run.first += windows) {
        const int64_t left = all - run.first;
        run.count = left < windows ? (int)left : windows;
        vgg_pool_run(pool, (size_t)run.count, gather_task, &run);
        struct vgg_linear_args layer = {.x = run.windows,
                                        .x_stride = (ptrdiff_t)run.window_stride,
                                        .y = run.products,
                                        .y_stride = (ptrdiff_t)run.product_stride,
                                        .n = run.count};
        vgg_linear_run(executor, step, &layer, run.products + (size_t)windows * run.product_stride);
        vgg_pool_run(pool, (size_t)run.count, scatter_task, &run);
    }
}
