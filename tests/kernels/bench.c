/* SPDX-License-Identifier: MIT */
/* Times the kernels on VGG-16's layers, on one core, as the plan calls them, in comparison with the arithmetic peak that
 * fma_peak measures and, for fully connected layers, with the peak of reading the same weights. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 7, PEAK_ITERATIONS = 4000000, CHUNK_BYTES = 768 * 1024 };

float *bench_numbers(size_t count)
{
    float *numbers = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    uint32_t state = 1;
    if (numbers == NULL) {
        fprintf(stderr, "out of memory: %zu floats\n", count);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        numbers[i] = (float)(int32_t)state * 0x1p-31f;
    }
    return numbers;
}

/* Multiply-adds per second, in GFLOP/s: the best of several runs, because none can exceed the peak. */
static double measure_peak(const struct vgg_kernels *kernels)
{
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        struct vgg_peak_args args = {.iterations = PEAK_ITERATIONS, .seed = 0.25f};
        const double start = bench_now();
        kernels->fma_peak(&args);
        const double rate = args.flops / (bench_now() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    return best;
}

/* Bytes per second of reading data in slices like those of a plan's tasks; the best of several runs. */
static double measure_reading(const struct vgg_kernels *kernels, const float *data, size_t bytes)
{
    enum { SLICE_BYTES = 1 << 20 };
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        const double start = bench_now();
        for (size_t at = 0; at < bytes; at += SLICE_BYTES) {
            const size_t left = bytes - at;
            kernels->read_peak(&(struct vgg_read_args){
                .data = (const char *)data + at, .bytes = left < SLICE_BYTES ? left : SLICE_BYTES});
        }
        const double rate = (double)bytes / (bench_now() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

/* Ends a line with the rates at which a layer multiplies and reads, per second and as shares of the peaks. */
static void show_rates(double flops, double peak, double reading, double read_peak)
{
    printf("%8.1f GFLOP/s %5.1f %% of peak %6.1f GB/s of weights %5.1f %% of reading\n",
           flops * 1e-9, flops * 1e-7 / peak, reading * 1e-9, 100 * reading / read_peak);
}

struct conv_layer {
    int ic, oc, side;
    const struct vgg_kernels *kernels;
    float *x, *weight, *bias, *y;
};

/* Groups of channels within chunks of rows whose input stays in the second-level cache. */
static void run_conv(const void *context)
{
    const struct conv_layer *layer = context;
    const struct vgg_kernels *kernels = layer->kernels;
    const bool nchw = layer->ic < kernels->lanes;
    const int lanes = kernels->lanes, x_lanes = nchw ? 1 : lanes, side = layer->side;
    const ptrdiff_t row = (ptrdiff_t)(side + 2) * x_lanes, plane = (side + 2) * row;
    struct vgg_conv_args args = {
        .x = layer->x,
        .x_block_stride = plane,
        .x_row_stride = row,
        .x_channel_stride = nchw ? plane : 1,
        .ic_blocks = nchw ? 1 : check_ceil_div(layer->ic, lanes),
        .ic_block = nchw ? layer->ic : lanes,
        .kernel = 3,
        .stride = 1,
        .y_block_stride = (ptrdiff_t)side * side * lanes,
        .y_row_stride = (ptrdiff_t)side * lanes,
        .ow = side,
        .relu = 1,
    };
    const size_t sums = (size_t)args.ic_blocks * (size_t)args.ic_block * 9;
    const int blocks = check_ceil_div(layer->oc, lanes);
    const int fit = CHUNK_BYTES / (int)(row * layer->ic / x_lanes * (int)sizeof(float));
    const int chunk = fit < 1 ? 1 : fit;
    for (args.oh_begin = 0; args.oh_begin < side; args.oh_begin += chunk) {
        args.oh_end = args.oh_begin + chunk < side ? args.oh_begin + chunk : side;
        for (int first = 0; first < blocks; first += kernels->conv_blocks) {
            const int left = blocks - first;
            args.oc_blocks = left < kernels->conv_blocks ? left : kernels->conv_blocks;
            args.weight = layer->weight + (size_t)first * (size_t)lanes * sums;
            args.bias = layer->bias + (size_t)first * (size_t)lanes;
            args.y = layer->y + first * args.y_block_stride;
            (nchw ? kernels->conv_nchw : kernels->conv_nchwc)(&args);
        }
    }
}

static void bench_conv(const struct vgg_kernels *kernels, struct conv_layer layer, double peak)
{
    const size_t group = (size_t)(kernels->conv_blocks * kernels->lanes);
    const size_t oc = ((size_t)layer.oc + group - 1) / group * group;
    const size_t framed = (size_t)(layer.side + 2) * (size_t)(layer.side + 2);
    const size_t ic = (size_t)layer.ic;
    layer.kernels = kernels;
    layer.x = bench_numbers(ic * framed);
    layer.weight = bench_numbers(oc * ic * 9);
    layer.bias = bench_numbers(oc);
    layer.y = bench_numbers(oc * framed);
    const double seconds = bench_time_calls(run_conv, &layer);
    const double flops = 2.0 * 9 * layer.ic * layer.oc * layer.side * layer.side;
    printf("  conv %3d -> %3d @ %3d   %8.2f ms %8.1f GFLOP/s %5.1f %% of peak\n", layer.ic,
           layer.oc, layer.side, seconds * 1e3, flops / seconds * 1e-9,
           flops / seconds * 1e-7 / peak);
    free(layer.x);
    free(layer.weight);
    free(layer.bias);
    free(layer.y);
}

struct linear_layer {
    const struct vgg_kernels *kernels;
    struct vgg_linear_args args;
};

static void run_linear(const void *context)
{
    const struct linear_layer *layer = context;
    layer->kernels->linear(&layer->args);
}

static void bench_linear(const struct vgg_kernels *kernels, int k, int rows, double peak)
{
    enum { BATCH = 8 };
    float *weight = bench_numbers((size_t)k * (size_t)rows);
    float *x = bench_numbers((size_t)k * BATCH), *y = bench_numbers((size_t)rows * BATCH);
    const double weights = (double)k * rows;
    const double read_peak = measure_reading(kernels, weight, (size_t)weights * sizeof(float));
    for (int n = 1; n <= BATCH; n += BATCH - 1) {
        const struct linear_layer layer = {kernels,
                                           {.weight = weight,
                                            .x = x,
                                            .x_stride = k,
                                            .y = y,
                                            .y_stride = rows,
                                            .end = rows,
                                            .k = k,
                                            .n = n}};
        const double seconds = bench_time_calls(run_linear, &layer);
        printf("  linear %5d -> %4d, batch %d %8.2f ms ", k, rows, n, seconds * 1e3);
        show_rates(2 * weights * n / seconds, peak, weights * sizeof(float) / seconds, read_peak);
    }
    free(weight);
    free(x);
    free(y);
}

struct columns_layer {
    const struct vgg_kernels *kernels;
    struct vgg_columns_args args;
};

static void run_columns(const void *context)
{
    const struct columns_layer *layer = context;
    layer->kernels->columns(&layer->args);
}

/* The weights of `percent` of the inputs, which are the same for all images, are listed and read. */
static void bench_columns(const struct vgg_kernels *kernels, int k, int rows,
                          enum vgg_weights_type type, int percent, double peak)
{
    static const char *const types[] = {
        [VGG_WEIGHTS_F32] = "f32", [VGG_WEIGHTS_BF16] = "bf16", [VGG_WEIGHTS_F16] = "f16"};
    enum { BATCH = 8 };
    const int blocks = check_ceil_div(k, VGG_COLUMNS_BLOCK);
    const int slices = check_ceil_div(rows, VGG_COLUMNS_ROWS);
    const size_t bytes = type == VGG_WEIGHTS_F32 ? sizeof(float) : sizeof(uint16_t);
    const size_t stride = (size_t)blocks + (size_t)k;
    const size_t weight_count = vgg_columns_elements((size_t)rows, (size_t)k);
    float *weight = bench_numbers(weight_count);
    float *x = bench_numbers((size_t)k * BATCH), *y = bench_numbers((size_t)rows * BATCH);
    int32_t *lists = (int32_t *)(void *)bench_numbers(BATCH * stride);
    uint32_t state = 1;
    int count = 0;
    for (size_t i = 0; type != VGG_WEIGHTS_F32 && i < weight_count; i++) {
        /* Ordinary numbers in both types: products of denormals are slow. */
        ((uint16_t *)(void *)weight)[i] = (uint16_t)(0x3c00 | (i * 40503 & 0x83ff));
    }
    for (int i = 0; i < k; i++) {
        state = state * 1664525u + 1013904223u;
        if ((state >> 8) % 100 < (uint32_t)percent) {
            lists[blocks + count++] = i;
        }
        lists[i / VGG_COLUMNS_BLOCK] = count;
    }
    for (size_t tile = 1; tile < BATCH; tile++) {
        memcpy(lists + tile * stride, lists, stride * sizeof *lists);
    }
    const double read_peak = measure_reading(kernels, weight, weight_count * bytes);
    for (int n = 1; n <= BATCH; n += BATCH - 1) {
        const struct columns_layer layer = {
            kernels,
            {.weight = weight,
             .type = type,
             .lists = lists,
             .list_stride = (ptrdiff_t)stride,
             .x = x,
             .x_stride = (ptrdiff_t)k * (n > 1 ? VGG_COLUMNS_TILE : 1),
             .y = y,
             .y_stride = rows,
             .end = slices,
             .rows = rows,
             .k = k,
             .n = n}};
        const double seconds = bench_time_calls(run_columns, &layer);
        const double weights = (double)count * slices * VGG_COLUMNS_ROWS;
        printf("  columns %5d -> %4d, %3d %% of the inputs, %-4s, batch %d %8.2f ms ", k, rows,
               percent, types[type], n, seconds * 1e3);
        show_rates(2 * weights * n / seconds, peak, weights * (double)bytes / seconds, read_peak);
    }
    free(weight);
    free(x);
    free(y);
    free(lists);
}

void bench_kernels(const struct vgg_kernels *kernels)
{
    static const struct conv_layer layers[] = {
        {.ic = 3, .oc = 64, .side = 224},   {.ic = 64, .oc = 64, .side = 224},
        {.ic = 64, .oc = 128, .side = 112}, {.ic = 128, .oc = 128, .side = 112},
        {.ic = 128, .oc = 256, .side = 56}, {.ic = 256, .oc = 256, .side = 56},
        {.ic = 256, .oc = 512, .side = 28}, {.ic = 512, .oc = 512, .side = 28},
        {.ic = 512, .oc = 512, .side = 14},
    };
    const double peak = measure_peak(kernels);
    printf("%s: one core's peak %.1f GFLOP/s\n", kernels->isa, peak);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        bench_conv(kernels, layers[i], peak);
    }
    bench_winograd(kernels, peak);
    bench_linear(kernels, 25088, 4096, peak);
    bench_linear(kernels, 4096, 4096, peak);
    bench_linear(kernels, 4096, 1000, peak);
    for (enum vgg_weights_type type = VGG_WEIGHTS_F32; type <= VGG_WEIGHTS_F16; type++) {
        bench_columns(kernels, 25088, 4096, type, 100, peak);
        bench_columns(kernels, 25088, 4096, type, 18, peak);
        bench_columns(kernels, 4096, 4096, type, 38, peak);
        bench_columns(kernels, 4096, 1000, type, 41, peak);
    }
}
