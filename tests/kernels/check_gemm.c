/* SPDX-License-Identifier: MIT */
/* gemm: every width of the register tile, depths, groups and panels. The bits must not depend on how tiles are split.
 * fma_peak and read_peak must do the work that they count. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "kernels/ref.h"

/* Panels first … first+panels-1 of groups by frequencies; 0: one. */
struct gemm {
    int ic_blocks, tiles;
    enum check_fill v_fill, weight_fill;
    int groups, first, panels;
};

/* Numbers of a case in plain order. */
struct numbers {
    /* [frequencies][ic][tiles] */
    float *v;
    /* [panels][ic_blocks * L][G] with padding after each panel; `stride` elements from panel to panel */
    float *weight;
    size_t stride;
    /* [panels][G][tiles] */
    float *y;
};

/* Computes y, `step` tiles at a time, in its own memory, and checks that everything around it is unchanged. */
static float *run(struct check *check, const struct gemm *c, const struct numbers *numbers,
                  int step)
{
    const struct vgg_kernels *kernels = check->kernels;
    const int lanes = kernels->lanes, width = kernels->conv_blocks * lanes;
    const int depth = c->ic_blocks * lanes,
              frequencies = (c->first + c->panels - 1) / c->groups + 1;
    const size_t rounded = vgg_round_tiles(kernels, (size_t)step);
    const size_t plane = rounded * (size_t)lanes + 16,
                 y_group = plane * (size_t)kernels->conv_blocks;
    const size_t y_f = y_group * (size_t)c->groups, y_count = y_f * (size_t)frequencies;
    const size_t v_f = kernels->v_terms > 1
                           ? vgg_v_elements(kernels, (size_t)c->ic_blocks, rounded) + 16
                           : plane * (size_t)c->ic_blocks;
    const size_t v_count = v_f * (size_t)frequencies - 16; /* the last one has no gap after it */
    float *v = check_input(check, v_count, 0), *y = check_output(check, y_count);
    float *result = check_scratch(check, (size_t)(c->panels * width * c->tiles), sizeof *result);
    for (int begin = 0; begin < c->tiles; begin += step) {
        const int tiles = begin + step < c->tiles ? step : c->tiles - begin;
        memset(v, 0xff, v_count * sizeof *v); /* NaN, where no tile is */
        for (int f = 0; f < frequencies; f++) {
            for (int t = 0; t < tiles; t++) {
                for (int ic = 0; ic < check_ceil_div(c->ic_blocks, kernels->v_blocks) *
                                          kernels->v_blocks * lanes;
                     ic++) {
                    const size_t at = (size_t)(f * depth + ic) * (size_t)c->tiles;
                    check_write_v(check, v + (size_t)f * v_f, (ptrdiff_t)plane, c->ic_blocks,
                                  ic / lanes, t, ic % lanes,
                                  ic < depth ? numbers->v[at + (size_t)(begin + t)] : 0);
                }
            }
        }
        kernels->gemm(&(struct vgg_gemm_args){
            .v = v,
            .v_f_stride = (ptrdiff_t)v_f,
            .v_block_stride = (ptrdiff_t)plane,
            .ic_blocks = c->ic_blocks,
            .weight = numbers->weight,
            .weight_stride = (ptrdiff_t)numbers->stride,
            .after = numbers->weight,
            .far = begin % 2, /* what is fetched ahead changes no bit */
            .groups = c->groups,
            .first = c->first,
            .panels = c->panels,
            .y = y,
            .y_f_stride = (ptrdiff_t)y_f,
            .y_group_stride = (ptrdiff_t)y_group,
            .y_block_stride = (ptrdiff_t)plane,
            .tiles = tiles,
        });
        for (int p = 0; p < c->panels; p++) {
            const int f = (c->first + p) / c->groups, g = (c->first + p) % c->groups;
            float *panel = y + (size_t)f * y_f + (size_t)g * y_group;
            for (int oc = 0; oc < width; oc++) {
                float *to = result + (size_t)(p * width + oc) * (size_t)c->tiles;
                for (int t = 0; t < (int)vgg_round_tiles(kernels, (size_t)tiles); t++) {
                    const float got = check_take(check, panel + (size_t)(oc / lanes) * plane +
                                                            (size_t)(t * lanes + oc % lanes));
                    if (t < tiles) {
                        to[begin + t] = got;
                    }
                }
            }
        }
        check_untouched(check, y, y_count);
    }
    return result;
}

/* The error from denormal terms of products, which count as zero in the tile unit. */
static double lost_terms(const struct check *check, const struct gemm *c, const float *x,
                         const float *row, int depth)
{
    double max = 0;
    if (check->kernels->v_terms == 1 || c->v_fill == FILL_NAN || c->weight_fill == FILL_NAN) {
        return 0;
    }
    for (int ic = 0; ic < depth; ic++) {
        /* gcc 12 for ARM crashes on a reduction with fmax. */
        const double v = fabs((double)x[ic]), w = fabs((double)row[ic]);
        max = v > max ? v : max;
        max = w > max ? w : max;
    }
    return isfinite(max) ? 4 * depth * 0x1p-126 * fmax(1, max) : 0;
}

static void check_case(struct check *check, const struct gemm *asked)
{
    struct gemm c = *asked;
    c.groups = c.groups > 0 ? c.groups : 1;
    c.panels = c.panels > 0 ? c.panels : 1;
    const int lanes = check->kernels->lanes, width = check->kernels->conv_blocks * lanes;
    const int depth = c.ic_blocks * lanes, frequencies = (c.first + c.panels - 1) / c.groups + 1;
    check_begin(check, "gemm %d->%d, %d tiles, panels %d to %d of %d groups, %s v, %s weights",
                depth, width, c.tiles, c.first, c.first + c.panels, c.groups,
                check_fill_string(c.v_fill), check_fill_string(c.weight_fill));
    const size_t v_count = (size_t)(frequencies * depth * c.tiles);
    const int padded =
        check_ceil_div(c.ic_blocks, check->kernels->v_blocks) * check->kernels->v_blocks * lanes;
    const size_t panel = (size_t)(padded * width);
    const size_t stride = panel * (size_t)check_range(check, 1, 3);
    const size_t weight_count = stride * (size_t)(c.panels - 1) + panel;
    const struct numbers numbers = {
        .v = check_scratch(check, v_count, sizeof(float)),
        .weight = check_input(check, weight_count, 0),
        .stride = stride,
    };
    check_fill(check, numbers.v, v_count, c.v_fill);
    memset(numbers.weight, 0xff, weight_count * sizeof(float)); /* NaN, between panels */
    for (int p = 0; p < c.panels; p++) {
        float *at = numbers.weight + (size_t)p * stride;
        check_fill(check, at, (size_t)(depth * width), c.weight_fill);
        memset(at + depth * width, 0, (panel - (size_t)(depth * width)) * sizeof *at);
    }
    const size_t y_count = (size_t)(c.panels * width * c.tiles);
    const float *y = run(check, &c, &numbers, c.tiles);
    check_same(check, "tiles one by one", y, run(check, &c, &numbers, 1), y_count);
    check_same(check, "tiles in two calls", y, run(check, &c, &numbers, check_ceil_div(c.tiles, 2)),
               y_count);

    float *rows = check_scratch(check, (size_t)(depth * width), sizeof *rows); /* [oc][ic] */
    float *x = check_scratch(check, (size_t)depth, sizeof *x);
    double *want = check_scratch(check, (size_t)width, sizeof *want);
    double *magnitude = check_scratch(check, (size_t)width, sizeof *magnitude);
    for (int p = 0; p < c.panels; p++) {
        const size_t f = (size_t)((c.first + p) / c.groups);
        for (int i = 0; i < depth * width; i++) {
            rows[i % width * depth + i / width] = numbers.weight[(size_t)p * stride + (size_t)i];
        }
        for (int t = 0; t < c.tiles; t++) {
            for (int ic = 0; ic < depth; ic++) {
                x[ic] = numbers.v[(f * (size_t)depth + (size_t)ic) * (size_t)c.tiles + (size_t)t];
            }
            vgg_ref_linear(x, rows, NULL, width, depth, want, magnitude);
            for (int oc = 0; oc < width; oc++) {
                const size_t at = (size_t)(p * width + oc) * (size_t)c.tiles + (size_t)t;
                /* An infinity that is split into terms can become NaN. */
                const bool terms_of_infinity =
                    check->kernels->v_terms > 1 && isinf(want[oc]) && isnan(y[at]);
                check_value(check, "tile", (size_t)t, terms_of_infinity ? (float)want[oc] : y[at],
                            want[oc], magnitude[oc], check_gemm_operations(check, depth),
                            lost_terms(check, &c, x, rows + oc * depth, depth));
            }
        }
    }
    check_end(check);
}

/* The next of fma_peak's numbers, from -1 to 1. */
static double next_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (double)(float)(int32_t)*state * 0x1p-31;
}

/* Checks the tile of direct convolution: sums of `pixels` neighbours times weights, 16 of both in turn. */
static void check_fma_peak(struct check *check, const char *name,
                           void (*peak)(struct vgg_peak_args *args))
{
    enum { ITERATIONS = 40, STEPS = 16, MAX_PIXELS = 64 };
    const float seed = 0.25f;
    struct vgg_peak_args args = {.iterations = ITERATIONS, .seed = seed};
    const int width = check->kernels->conv_blocks * check->kernels->lanes;
    double weight[STEPS] = {0}, magnitude_of[STEPS] = {0}, x[STEPS + MAX_PIXELS];
    double want = 0, magnitude = 0;
    uint32_t state = 1;
    check_begin(check, "%s", name);
    peak(&args);
    const int pixels = (int)(args.flops / (2.0 * ITERATIONS * width));
    if (pixels < 1 || pixels > MAX_PIXELS || args.flops != 2.0 * ITERATIONS * width * pixels) {
        check_fail(check, "%g operations are not those of whole tiles", args.flops);
        check_end(check);
        return;
    }
    for (int k = 0; k < STEPS; k++) {
        for (int i = 0; i < width; i++) {
            const double w = next_number(&state);
            weight[k] += w;
            magnitude_of[k] += fabs(w);
        }
    }
    for (int i = 0; i < STEPS + pixels; i++) {
        x[i] = (double)((float)next_number(&state) + seed);
    }
    for (int n = 0; n < ITERATIONS; n++) {
        for (int i = 0; i < pixels; i++) {
            want += x[n % STEPS + i] * weight[n % STEPS];
            magnitude += fabs(x[n % STEPS + i]) * magnitude_of[n % STEPS];
        }
    }
    check_value(check, "result", 0, args.result, want, magnitude, 2.0 * ITERATIONS + width * pixels,
                0);
    check_end(check);
}

/* Checks the peak of a tile unit: the number of operations, and that the result is a plausible number. */
static void check_unit_peak(struct check *check)
{
    enum { ITERATIONS = 30 };
    struct vgg_peak_args args = {.iterations = ITERATIONS, .seed = 0};
    check_begin(check, "product_peak");
    check->kernels->product_peak(&args);
    check_note_float(check, args.result);
    /* Four registers of 16 × 16 sums of 32 products, six of which make one of float32. */
    if (fabs(args.flops - ITERATIONS * 4.0 * 16 * 16 * 32 / 6 * 2) > 1 ||
        !(fabs((double)args.result) > 0 && fabs((double)args.result) < 32 * 4.0 * ITERATIONS)) {
        check_fail(check, "%g operations, result %g", args.flops, (double)args.result);
    }
    check_end(check);
}

static void check_read_peak(struct check *check, size_t count, size_t gap)
{
    check_begin(check, "read_peak of %zu floats and %zu bytes", count, gap);
    const size_t lanes = (size_t)check->kernels->lanes;
    char *data = check_input(check, count, gap);
    double want = 0, magnitude = 0;
    for (size_t i = 0; i < count; i++) {
        float number;
        check_fill(check, &number, 1, FILL_ORDINARY);
        memcpy(data + i * sizeof number, &number, sizeof number);
        if (i < count / lanes * lanes) {
            want += (double)number;
            magnitude += number < 0 ? -(double)number : (double)number;
        }
    }
    struct vgg_read_args args = {.data = data, .bytes = count * sizeof(float) + gap};
    check->kernels->read_peak(&args);
    check_value(check, "result", 0, args.result, want, magnitude, (double)count, 0);
    check_end(check);
}

void check_gemm(struct check *check)
{
    /* Of any ISA. */
    enum { WIDEST_TILE = 32 };
    for (int tiles = 1; tiles <= 2 * WIDEST_TILE + 1; tiles++) {
        check_case(check, &(struct gemm){1 + tiles % 3, tiles, 0, 0, 0, 0, 0});
    }
    for (int fill = 0; fill < FILL_MIXED; fill++) {
        const enum check_fill other = fill == FILL_OVERFLOW ? FILL_POSITIVE : FILL_ORDINARY;
        check_case(check, &(struct gemm){2, 17, (enum check_fill)fill, other, 0, 0, 0});
        check_case(check, &(struct gemm){2, 17, other, (enum check_fill)fill, 0, 0, 0});
    }
    check_case(check, &(struct gemm){512 / check->kernels->lanes, 25, 0, 0, 0, 0, 0});
    for (int i = 0; i < 20; i++) {
        check_seed(check, "random gemm %d", i);
        const int groups = check_range(check, 1, 3);
        check_case(check,
                   &(struct gemm){check_range(check, 1, 9), check_range(check, 1, 90), 0, 0, groups,
                                  check_range(check, 0, groups - 1), check_range(check, 1, 7)});
    }
    check_fma_peak(check, "fma_peak", check->kernels->fma_peak);
    if (check->kernels->v_terms == 1) {
        check_fma_peak(check, "product_peak", check->kernels->product_peak);
    } else {
        check_unit_peak(check);
    }
    for (size_t gap = 0; gap < sizeof(float); gap++) {
        check_seed(check, "random read_peak, %zu bytes more", gap);
        const size_t few = (size_t)check_range(check, 1, 20);
        const size_t many = (size_t)check_range(check, 20, 5000);
        check_read_peak(check, 0, gap);
        check_read_peak(check, few, gap);
        check_read_peak(check, many, gap);
    }
}
