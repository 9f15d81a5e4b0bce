/* SPDX-License-Identifier: MIT */
/* Times Winograd convolution on VGG-16's layers, on one core, stage by stage: each F(m) in the form and with the blocks and
 * strides that the plan chooses; the products as a share of the arithmetic peak. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "plan/f32/choose_conv.h"

enum { RUNS = 3 };

/* A layer, its choice and its memory. */
struct layer {
    const struct vgg_kernels *kernels;
    int ic, oc, side;
    struct vgg_conv_choice c;
    float *x, *u, *scratch, *bias, *y;
};

/* Seconds of input transform, products, output transform. */
struct times {
    double in, products, out;
};

/* Computes tiles begin … end-1 for all groups of output channels. */
static void run_block(const struct layer *l, int begin, int end, struct times *times)
{
    const struct vgg_kernels *kernels = l->kernels;
    const int lanes = kernels->lanes, group = kernels->conv_blocks;
    const int f_count = (l->c.winograd.m + 2) * (l->c.winograd.m + 2),
              groups = l->oc / (lanes * group);
    const bool by_tiles = l->c.algorithm == VGG_WINOGRAD_TILES;
    const ptrdiff_t row = (ptrdiff_t)(l->side + 2) * lanes, plane = (ptrdiff_t)l->c.winograd.plane;
    const size_t panel = (size_t)l->ic * (size_t)(lanes * group);
    float *v = l->scratch, *m = v + (size_t)f_count * l->c.winograd.v_f_stride;
    double start = bench_now();
    for (int b = 0; b < l->ic / lanes; b += kernels->v_blocks) {
        kernels->winograd_input(&(struct vgg_winograd_input_args){
            .m = l->c.winograd.m,
            .x = l->x + b * (l->side + 2) * row,
            .x_block_stride = (l->side + 2) * row,
            .x_row_stride = row,
            .rows = l->side + 2,
            .columns = l->side + 2,
            .tiles_w = l->c.winograd.tiles_w,
            .tile_begin = begin,
            .tile_end = end,
            .block = b,
            .blocks = l->ic / lanes,
            .v = v,
            .v_f_stride = (ptrdiff_t)l->c.winograd.v_f_stride,
            .v_block_stride = plane,
        });
    }
    times->in += bench_now() - start;
    for (int first = 0; first < groups; first += by_tiles ? 1 : groups) {
        const int together = by_tiles ? 1 : groups;
        const float *u = l->u + (size_t)first * panel; /* [f][group][ic][G] */
        start = bench_now();
        kernels->gemm(&(struct vgg_gemm_args){
            .v = v,
            .v_f_stride = (ptrdiff_t)l->c.winograd.v_f_stride,
            .v_block_stride = plane,
            .ic_blocks = l->ic / lanes,
            .weight = u,
            .weight_stride = (ptrdiff_t)panel * (groups / together),
            .after = u,
            .far = !by_tiles,
            .groups = together,
            .panels = f_count * together,
            .y = m,
            .y_f_stride = (ptrdiff_t)l->c.winograd.m_f_stride,
            .y_group_stride = group * plane,
            .y_block_stride = plane,
            .tiles = end - begin,
        });
        times->products += bench_now() - start;
        start = bench_now();
        for (int b = 0; b < together * group; b++) {
            kernels->winograd_output(&(struct vgg_winograd_output_args){
                .m = l->c.winograd.m,
                .m_data = m + b * plane,
                .m_f_stride = (ptrdiff_t)l->c.winograd.m_f_stride,
                .bias = l->bias,
                .y = l->y + (first * group + b) * l->side * l->side * (ptrdiff_t)lanes,
                .y_row_stride = (ptrdiff_t)l->side * lanes,
                .oh = l->side,
                .ow = l->side,
                .tiles_w = l->c.winograd.tiles_w,
                .tile_begin = begin,
                .tile_end = end,
                .relu = 1,
            });
        }
        times->out += bench_now() - start;
    }
}

static struct times run(const struct layer *l)
{
    const int tiles = l->c.winograd.tiles_h * l->c.winograd.tiles_w,
              blocks = check_ceil_div(tiles, l->c.winograd.block);
    struct times times = {0};
    for (int b = 0; b < blocks; b++) {
        run_block(l, (int)((int64_t)tiles * b / blocks), (int)((int64_t)tiles * (b + 1) / blocks),
                  &times);
    }
    return times;
}

static void bench_layer(struct layer l, enum vgg_conv_algorithm conv, double peak)
{
    struct vgg_plan plan = {.options = {.kernels = l.kernels,
                                        .batch = 1,
                                        .threads = 1,
                                        .conv = conv,
                                        .activation_bytes = 4ull << 30}};
    const struct vgg_tensor weight = {.layout = VGG_LAYOUT_ROWS};
    const struct vgg_conv2d layer = {
        .ic = l.ic, .oc = l.oc, .kernel = 3, .stride = 1, .padding = 1, .weight = &weight};
    const struct vgg_conv_request request = {
        .conv = &layer, .in = {l.ic, l.side, l.side}, .budget.bytes = SIZE_MAX};
    vgg_choose_conv(&plan, &request, &l.c);
    vgg_arena_destroy(&plan.arena);
    const size_t padded = (size_t)(l.side + 2) * (size_t)(l.side + 2);
    const double f = (l.c.winograd.m + 2.0) * (l.c.winograd.m + 2.0);
    l.x = bench_numbers((size_t)l.ic * padded);
    l.u = bench_numbers((size_t)f * (size_t)l.ic * (size_t)l.oc);
    l.scratch = bench_numbers(l.c.scratch.slot_elements);
    l.bias = bench_numbers((size_t)l.kernels->lanes);
    l.y = bench_numbers((size_t)l.oc * padded);
    struct times best = run(&l);
    for (int i = 0; i < RUNS; i++) {
        const struct times t = run(&l);
        best = t.in + t.products + t.out < best.in + best.products + best.out ? t : best;
    }
    const double flops = 2 * f * l.c.winograd.tiles_h * l.c.winograd.tiles_w * l.ic * l.oc;
    char form[32];
    snprintf(form, sizeof form, l.c.algorithm == VGG_WINOGRAD_TILES ? "tiles of %d" : "frequency",
             l.c.winograd.block);
    printf(
        "  F(%d) %3d -> %3d @ %3d by %-11s %7.2f + %7.2f + %7.2f ms, products %5.1f %% of peak\n",
        l.c.winograd.m, l.ic, l.oc, l.side, form, best.in * 1e3, best.products * 1e3,
        best.out * 1e3, flops / best.products * 1e-7 / peak);
    free(l.x);
    free(l.u);
    free(l.scratch);
    free(l.bias);
    free(l.y);
}

void bench_winograd(const struct vgg_kernels *kernels, double peak)
{
    static const struct layer layers[] = {
        {.ic = 64, .oc = 64, .side = 224},   {.ic = 64, .oc = 128, .side = 112},
        {.ic = 128, .oc = 128, .side = 112}, {.ic = 128, .oc = 256, .side = 56},
        {.ic = 256, .oc = 256, .side = 56},  {.ic = 256, .oc = 512, .side = 28},
        {.ic = 512, .oc = 512, .side = 28},  {.ic = 512, .oc = 512, .side = 14},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        for (int conv = VGG_CONV_F2; conv <= VGG_CONV_F6; conv++) {
            struct layer layer = layers[i];
            layer.kernels = kernels;
            bench_layer(layer, (enum vgg_conv_algorithm)conv, peak);
        }
    }
}
