/* SPDX-License-Identifier: MIT */
/* Times the int8 kernels on VGG-16's layers, on one core, in one call each: convolutions as a share of the peak that
 * `peak` measures, fully connected layers in bytes of weights per second. */
#include "bench.h"
#include "check_int8.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 7 };

/* Random bytes, of which `density` of 255 are not zero. Aligned, to be freed. */
static void *make_bytes(size_t count, unsigned density)
{
    uint8_t *bytes = aligned_alloc(64, (count + 63) / 64 * 64);
    uint32_t state = 1;
    if (bytes == NULL) {
        fprintf(stderr, "out of memory: %zu bytes\n", count);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (state >> 24) <= density ? (uint8_t)(1 + (state >> 16) % 126) : 0;
    }
    return bytes;
}

/* Multiply-adds per second, in Gop/s: the best of several runs, because none can exceed the peak. */
static double measure_peak(const struct vgg_int8_kernels *kernels)
{
    double best = 0;
    struct vgg_int8_peak_args args = {.iterations = 1000};
    for (int i = 0; i < RUNS;) {
        const double start = bench_now();
        kernels->peak(&args);
        const double seconds = bench_now() - start;
        if (seconds < 0.02) {
            args.iterations *= 2;
            continue;
        }
        best = args.operations / seconds * 1e-9 > best ? args.operations / seconds * 1e-9 : best;
        i++;
    }
    return best;
}

struct conv_layer {
    int ic, oc, side;
    const struct vgg_int8_kernels *kernels;
    struct vgg_int8_conv_args args;
    ptrdiff_t weight_block, y_block;
};

/* Blocks of output channels within chunks of rows whose input stays in the second-level cache. */
static void run_conv(const void *context)
{
    enum { CHUNK_BYTES = 512 * 1024 };
    const struct conv_layer *layer = context;
    struct vgg_int8_conv_args args = layer->args;
    const int fit = CHUNK_BYTES / (int)(args.x_row_stride * args.ic_blocks);
    const int chunk = fit < 4 ? 4 : fit / 4 * 4;
    for (args.oh_begin = 0; args.oh_begin < layer->side; args.oh_begin += chunk) {
        args.oh_end = args.oh_begin + chunk < layer->side ? args.oh_begin + chunk : layer->side;
        for (int block = 0; block < layer->oc / VGG_INT8_BLOCK; block++) {
            args.weight = layer->args.weight + block * layer->weight_block;
            args.y = layer->args.y + block * layer->y_block;
            layer->kernels->conv(&args);
        }
    }
}

static double bench_conv(const struct vgg_int8_kernels *kernels, struct conv_layer layer,
                         double peak)
{
    const ptrdiff_t framed = layer.side + 2;
    const size_t oc = (size_t)layer.oc;
    struct vgg_int8_conv_args *args = &layer.args;
    layer.kernels = kernels;
    args->ic_block = layer.ic < VGG_INT8_BLOCK ? VGG_INT8_INPUT_BLOCK : VGG_INT8_BLOCK;
    args->ic_blocks = check_ceil_div(layer.ic, args->ic_block);
    args->x_row_stride = framed * args->ic_block;
    args->x_block_stride = framed * args->x_row_stride;
    args->y_row_stride = (ptrdiff_t)layer.side * VGG_INT8_BLOCK;
    args->kernel = 3;
    args->stride = 1;
    args->ow = layer.side;
    args->groups = 4;
    args->weight_group_stride = (ptrdiff_t)args->ic_blocks * args->ic_block * 9 * VGG_INT8_GROUP;
    layer.weight_block = 4 * args->weight_group_stride;
    layer.y_block = layer.side * args->y_row_stride;
    uint8_t *x = make_bytes((size_t)(args->ic_blocks * args->x_block_stride), 127);
    int8_t *weight = make_bytes(oc / 64 * (size_t)layer.weight_block, 255);
    int32_t *bias = calloc(oc, sizeof *bias);
    float *scale = calloc(oc, sizeof *scale);
    args->x = x;
    args->weight = weight;
    args->scaling = (struct vgg_int8_scaling){bias, scale, bias};
    args->y = make_bytes(oc / 64 * (size_t)layer.y_block, 255);
    const double seconds = bench_time_calls(run_conv, &layer);
    const double operations = 2.0 * 9 * layer.ic * layer.oc * layer.side * layer.side;
    printf("  conv %3d -> %3d @ %3d   %8.3f ms %8.1f Gop/s %5.1f %% of peak\n", layer.ic, layer.oc,
           layer.side, seconds * 1e3, operations / seconds * 1e-9,
           operations / seconds * 1e-7 / peak);
    free(x);
    free(weight);
    free(bias);
    free(scale);
    free(args->y);
    return seconds;
}

struct linear_layer {
    const struct vgg_int8_kernels *kernels;
    struct vgg_int8_linear_args args;
};

static void run_linear(const void *context)
{
    const struct linear_layer *layer = context;
    layer->kernels->linear(&layer->args);
}

/* Returns the seconds of a batch of one. */
static double bench_linear(const struct vgg_int8_kernels *kernels, int k, int rows,
                           unsigned density)
{
    enum { BATCH = 32 };
    const int groups = check_ceil_div(rows, VGG_INT8_GROUP);
    const size_t padded = (size_t)groups * VGG_INT8_GROUP;
    int8_t *weight = make_bytes((size_t)k * padded, 255);
    uint8_t *x = make_bytes((size_t)k * BATCH, density);
    float *y = aligned_alloc(64, padded * BATCH * sizeof *y),
          *scale = calloc(padded, sizeof *scale);
    int32_t *bias = calloc(padded, sizeof *bias);
    double first = 0;
    for (int n = 1; n <= BATCH; n = n == 1 ? 8 : 4 * n) {
        const struct linear_layer layer = {kernels,
                                           {.x = x,
                                            .x_stride = k,
                                            .k_blocks = k / VGG_INT8_BLOCK,
                                            .weight = weight,
                                            .scaling = {bias, scale, bias},
                                            .y_float = y,
                                            .y_stride = (ptrdiff_t)padded,
                                            .end = groups,
                                            .rows = rows,
                                            .n = n}};
        const double seconds = bench_time_calls(run_linear, &layer),
                     weights = (double)k * (double)padded;
        printf("  linear %5d -> %4d, batch %2d %8.3f ms %8.1f Gop/s %5.1f GB/s of weights\n", k,
               rows, n, seconds * 1e3, 2 * weights * n / seconds * 1e-9, weights / seconds * 1e-9);
        first = n == 1 ? seconds : first;
    }
    free(weight);
    free(x);
    free(y);
    free(scale);
    free(bias);
    return first;
}

void bench_int8(const struct vgg_int8_kernels *kernels)
{
    static const struct conv_layer layers[] = {
        {.ic = 3, .oc = 64, .side = 224},   {.ic = 64, .oc = 64, .side = 224},
        {.ic = 64, .oc = 128, .side = 112}, {.ic = 128, .oc = 128, .side = 112},
        {.ic = 128, .oc = 256, .side = 56}, {.ic = 256, .oc = 256, .side = 56},
        {.ic = 256, .oc = 512, .side = 28}, {.ic = 512, .oc = 512, .side = 28},
        {.ic = 512, .oc = 512, .side = 14},
    };
    static const int times[] = {1, 1, 1, 1, 1, 2, 1, 2, 3}; /* of each in VGG-16 */
    const double peak = measure_peak(kernels);
    double conv = 0, linear = 0;
    printf("int8 %s: one core's peak %.1f Gop/s\n", kernels->isa, peak);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        conv += times[i] * bench_conv(kernels, layers[i], peak);
    }
    linear += bench_linear(kernels, 25088, 4096, 255);
    linear += bench_linear(kernels, 4096, 4096, 255);
    linear += bench_linear(kernels, 4096, 1000, 255);
    printf("  VGG-16: convolutions %.2f ms, fully connected %.2f ms\n", conv * 1e3, linear * 1e3);
}
