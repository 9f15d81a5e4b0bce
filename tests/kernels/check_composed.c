/* SPDX-License-Identifier: MIT */
/* Whole Winograd convolutions, composed as in the plan (filters, patches, products and outputs, block of tiles after block
 * of tiles), in comparison with the definition of convolution; the accuracy of each F(m); and how far non-finite numbers
 * spread. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ref.h"

enum { MAX_F = 64, MAX_LANES = 16, MAX_DEPTH = 512 };

/*   ic, oc   channels     h, w   pixels of input and output     block   tiles of one call */
struct conv {
    int m, ic, oc, h, w, block;
    bool relu, pool;
};

struct tensors {
    float *x, *weight, *bias;
    double *y;
};

static int f_count_of(const struct conv *c)
{
    return (c->m + 2) * (c->m + 2);
}

static size_t plane_of(const struct conv *c)
{
    return (size_t)c->h * (size_t)c->w;
}

/* Ordinary numbers, the reference's results for them, and Σ|terms| of the direct sum, which is not used. */
static struct tensors make_tensors(struct check *check, const struct conv *c)
{
    const size_t x_count = (size_t)c->ic * plane_of(c), y_count = (size_t)c->oc * plane_of(c);
    const size_t weight_count = (size_t)c->oc * (size_t)c->ic * 9;
    struct tensors t = {
        .x = check_scratch(check, x_count, sizeof *t.x),
        .weight = check_scratch(check, weight_count, sizeof *t.weight),
        .bias = check_scratch(check, (size_t)c->oc, sizeof *t.bias),
        .y = check_scratch(check, y_count, sizeof *t.y),
    };
    check_fill(check, t.x, x_count, FILL_ORDINARY);
    check_fill(check, t.weight, weight_count, FILL_ORDINARY);
    check_fill(check, t.bias, (size_t)c->oc, FILL_ORDINARY);
    return t;
}

static void compute(struct check *check, const struct conv *c, const struct tensors *t)
{
    double *magnitude = check_scratch(check, (size_t)c->oc * plane_of(c), sizeof *magnitude);
    vgg_ref_conv(t->x, c->ic, c->h, c->w, t->weight, t->bias, c->oc, 3, 1, 1, t->y, magnitude);
}

/* --- the kernels composed --------------------------------------------------------------------- */

/* x in NCHWc with its padding, at the end of its page. */
static float *make_input(struct check *check, const struct conv *c, const float *x)
{
    const size_t lanes = (size_t)check->kernels->lanes, row = (size_t)(c->w + 2) * lanes;
    const size_t plane = (size_t)(c->h + 2) * row;
    float *nchwc = check_input(check, plane * (size_t)check_ceil_div(c->ic, (int)lanes), 0);
    for (size_t ic = 0; ic < (size_t)c->ic; ic++) {
        for (size_t i = 0; i < plane_of(c); i++) {
            const size_t h = i / (size_t)c->w + 1, w = i % (size_t)c->w + 1;
            nchwc[ic / lanes * plane + h * row + w * lanes + ic % lanes] = *x++;
        }
    }
    return nchwc;
}

/* The transformed filters of one group, [f][ic][G]. */
static void make_filters(const struct vgg_kernels *kernels, const struct conv *c,
                         const float *weight, int group, float *u)
{
    const int lanes = kernels->lanes, width = kernels->conv_blocks * lanes;
    const int depth = check_ceil_div(c->ic, lanes * kernels->v_blocks) * kernels->v_blocks * lanes;
    /* [L][depth][9] of one block of output channels */
    static float g[MAX_LANES * MAX_DEPTH * 9];
    for (int b = 0; b < kernels->conv_blocks; b++) {
        for (int i = 0; i < lanes * depth; i++) {
            const int oc = group * width + b * lanes + i / depth, ic = i % depth;
            const size_t at = ((size_t)oc * (size_t)c->ic + (size_t)ic) * 9;
            for (int k = 0; k < 9; k++) {
                g[i * 9 + k] = oc < c->oc && ic < c->ic ? weight[at + (size_t)k] : 0;
            }
        }
        kernels->winograd_filter(&(struct vgg_winograd_filter_args){
            .m = c->m,
            .g = g,
            .g_stride = (ptrdiff_t)depth * 9,
            .count = depth,
            .u = u + b * lanes,
            .u_f_stride = (ptrdiff_t)depth * width,
            .u_c_stride = width,
        });
    }
}

/* NCHWc outputs without padding, [oc / L][oh][ow][L]. */
static float *run(struct check *check, const struct conv *c, const struct tensors *t)
{
    const struct vgg_kernels *kernels = check->kernels;
    const int lanes = kernels->lanes, group = kernels->conv_blocks, f_count = f_count_of(c);
    const int ic_blocks = check_ceil_div(c->ic, lanes), oc_blocks = check_ceil_div(c->oc, lanes);
    const int tiles_w = check_ceil_div(c->w, c->m), tiles = tiles_w * check_ceil_div(c->h, c->m);
    const int oh = c->pool ? c->h / 2 : c->h, ow = c->pool ? c->w / 2 : c->w;
    const size_t rounded = vgg_round_tiles(kernels, (size_t)c->block);
    const size_t plane = rounded * (size_t)lanes, y_plane = (size_t)(oh * ow * lanes);
    const size_t v_f_stride = vgg_v_elements(kernels, (size_t)ic_blocks, rounded);
    const size_t m_f_stride = (size_t)group * plane;
    const int padded = check_ceil_div(ic_blocks, kernels->v_blocks) * kernels->v_blocks;
    const size_t panel = (size_t)padded * (size_t)(lanes * group * lanes);
    const ptrdiff_t x_row = (ptrdiff_t)(c->w + 2) * lanes;
    const float *x = make_input(check, c, t->x);
    float *u = check_input(check, (size_t)f_count * panel, 0);
    float *v = check_input(check, (size_t)f_count * v_f_stride, 0);
    float *m = check_input(check, (size_t)f_count * m_f_stride, 0);
    float *bias = check_input(check, (size_t)(check_ceil_div(oc_blocks, group) * group * lanes), 0);
    float *y = check_output(check, (size_t)oc_blocks * y_plane);
    memcpy(bias, t->bias, (size_t)c->oc * sizeof *bias);
    for (int first = 0; first < oc_blocks; first += group) {
        make_filters(kernels, c, t->weight, first / group, u);
        for (int begin = 0; begin < tiles; begin += c->block) {
            const int end = begin + c->block < tiles ? begin + c->block : tiles;
            for (int b = 0; b < ic_blocks; b += kernels->v_blocks) {
                kernels->winograd_input(&(struct vgg_winograd_input_args){
                    .m = c->m,
                    .x = x + b * (c->h + 2) * x_row,
                    .x_block_stride = (c->h + 2) * x_row,
                    .x_row_stride = x_row,
                    .rows = c->h + 2,
                    .columns = c->w + 2,
                    .tiles_w = tiles_w,
                    .tile_begin = begin,
                    .tile_end = end,
                    .block = b,
                    .blocks = ic_blocks,
                    .v = v,
                    .v_f_stride = (ptrdiff_t)v_f_stride,
                    .v_block_stride = (ptrdiff_t)plane,
                });
            }
            kernels->gemm(&(struct vgg_gemm_args){
                .v = v,
                .v_f_stride = (ptrdiff_t)v_f_stride,
                .v_block_stride = (ptrdiff_t)plane,
                .ic_blocks = ic_blocks,
                .weight = u,
                .weight_stride = (ptrdiff_t)panel,
                .after = u,
                .groups = 1,
                .panels = f_count,
                .y = m,
                .y_f_stride = (ptrdiff_t)m_f_stride,
                .y_block_stride = (ptrdiff_t)plane,
                .tiles = end - begin,
            });
            for (int b = 0; b < group && first + b < oc_blocks; b++) {
                kernels->winograd_output(&(struct vgg_winograd_output_args){
                    .m = c->m,
                    .m_data = m + (size_t)b * plane,
                    .m_f_stride = (ptrdiff_t)m_f_stride,
                    .bias = bias + (ptrdiff_t)(first + b) * lanes,
                    .y = y + (size_t)(first + b) * y_plane,
                    .y_row_stride = (ptrdiff_t)ow * lanes,
                    .oh = oh,
                    .ow = ow,
                    .tiles_w = tiles_w,
                    .tile_begin = begin,
                    .tile_end = end,
                    .relu = c->relu,
                    .pool = c->pool,
                });
            }
        }
    }
    return y;
}

/* --- the bound -------------------------------------------------------------------------------- */

static struct vgg_ref_matrix absolute(struct vgg_ref_matrix a)
{
    for (int i = 0; i < 64; i++) {
        a.at[i / 8][i % 8] = fabs(a.at[i / 8][i % 8]);
    }
    return a;
}

/* Σ|terms| of the composed algorithm for each output [oc][h][w], every product of a coefficient of each of
 * the matrices, a weight and a pixel being a term: |Aᵀ| (Σ (|G| |g| |Gᵀ|) ⊙ (|Bᵀ| |d| |B|)) |A| + |bias|. */
static double *compute_magnitude(struct check *check, const struct conv *c, const struct tensors *t)
{
    const int m = c->m, n = m + 2, f_count = n * n, tiles_w = check_ceil_div(c->w, m);
    const size_t ic_count = (size_t)c->ic, tile_values = ic_count * (size_t)f_count;
    double *magnitude = check_scratch(check, (size_t)c->oc * plane_of(c), sizeof *magnitude);
    double *u = check_scratch(check, (size_t)c->oc * tile_values, sizeof *u);
    double *v = check_scratch(check, tile_values, sizeof *v);
    double d[MAX_F], y[MAX_F], ignored[MAX_F];
    struct vgg_ref_winograd matrices;
    vgg_ref_winograd(m, &matrices);
    const struct vgg_ref_matrix output = absolute(matrices.output);
    for (size_t i = 0; i < (size_t)c->oc * ic_count; i++) {
        for (size_t k = 0; k < 9; k++) {
            d[k] = (double)t->weight[i * 9 + k];
        }
        vgg_ref_transform(&matrices.filter, d, NULL, ignored, u + i * (size_t)f_count);
    }
    for (int tile = 0; tile < tiles_w * check_ceil_div(c->h, m); tile++) {
        const int top = tile / tiles_w * m, left = tile % tiles_w * m;
        for (size_t ic = 0; ic < ic_count; ic++) {
            for (int i = 0; i < f_count; i++) {
                const int h = top + i / n - 1, w = left + i % n - 1;
                const bool inside = h >= 0 && h < c->h && w >= 0 && w < c->w;
                d[i] = inside ? (double)t->x[ic * plane_of(c) + (size_t)(h * c->w + w)] : 0;
            }
            vgg_ref_transform(&matrices.input, d, NULL, ignored, v + ic * (size_t)f_count);
        }
        for (int oc = 0; oc < c->oc; oc++) {
            memset(d, 0, sizeof d);
            for (size_t i = 0; i < tile_values; i++) {
                d[i % (size_t)f_count] += u[(size_t)oc * tile_values + i] * v[i];
            }
            vgg_ref_transform(&output, d, NULL, y, ignored);
            for (int i = 0; i < m * m; i++) {
                const int h = top + i / m, w = left + i % m;
                if (h < c->h && w < c->w) {
                    magnitude[(size_t)oc * plane_of(c) + (size_t)(h * c->w + w)] =
                        y[i] + fabs((double)t->bias[oc]);
                }
            }
        }
    }
    return magnitude;
}

/* The operations that a term goes through: both transforms (see check_winograd.c), the rounding of the
 * transformed filter, a multiply-add a channel, the bias. */
static double operations_of(const struct check *check, const struct conv *c)
{
    const int in = c->m == 2 ? 1 : c->m == 4 ? 2 : 3, out = in + 1;
    return 2.0 * (in + out) * (check->fused ? 1 : 2) + 1 + check_gemm_operations(check, c->ic) + 1;
}

static void check_case(struct check *check, const struct conv *c)
{
    check_begin(check, "F(%d) convolution %d->%d %dx%d by %d tiles%s%s", c->m, c->ic, c->oc, c->h,
                c->w, c->block, c->relu ? " relu" : "", c->pool ? " pool" : "");
    const int lanes = check->kernels->lanes, window = c->pool ? 2 : 1;
    const int oh = c->h / window, ow = c->w / window;
    const struct tensors t = make_tensors(check, c);
    compute(check, c, &t);
    const double *magnitude = compute_magnitude(check, c, &t);
    const size_t y_plane = (size_t)(oh * ow * lanes);
    const size_t count = (size_t)check_ceil_div(c->oc, lanes) * y_plane;
    float *y = run(check, c, &t);
    struct conv other = *c;
    other.block = c->block + 3;
    check_same(check, "other blocks of tiles", y, run(check, &other, &t), count);
    for (int oc = 0; oc < check_ceil_div(c->oc, lanes) * lanes; oc++) {
        for (int i = 0; i < oh * ow; i++) {
            const float got = check_take(check, y + (size_t)(oc / lanes) * y_plane +
                                                    (size_t)(i * lanes + oc % lanes));
            if (oc >= c->oc) {
                if (got != 0) {
                    check_fail(check, "channel %d past the last one is %.9g", oc, (double)got);
                }
                continue;
            }
            double want = -HUGE_VAL, size = 0;
            for (int k = 0; k < window * window; k++) {
                const int h = i / ow * window + k / 2, w = i % ow * window + k % 2;
                const size_t at = (size_t)oc * plane_of(c) + (size_t)(h * c->w + w);
                want = t.y[at] > want ? t.y[at] : want;
                size = magnitude[at] > size ? magnitude[at] : size;
            }
            check_value(check, "output", (size_t)(oc * oh * ow + i), got,
                        c->relu ? check_relu(want) : want, size, operations_of(check, c), 0);
        }
    }
    check_untouched(check, y, count);
    check_end(check);
}

/* --- accuracy --------------------------------------------------------------------------------- */

/* A nearly normal distribution: the sum of twelve uniform numbers. */
static float normal(struct check *check, double deviation)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += (double)(check_random(check) >> 11) * 0x1p-53;
    }
    return (float)(sum * deviation);
}

/* A layer like those of a VGG: rectified normal inputs, Kaiming filters. The root mean square error must be within a
 * quarter of the one that winograd.h states. */
static void check_exactness(struct check *check, int m, double expected)
{
    const struct conv c = {.m = m, .ic = 256, .oc = 16, .h = 24, .w = 24, .block = 16};
    const int lanes = check->kernels->lanes;
    double errors = 0, values = 0, worst = 0, largest = 0, bound = 0;
    check_begin(check, "exactness of F(%d)", m);
    const struct tensors t = make_tensors(check, &c);
    for (size_t i = 0; i < (size_t)c.ic * plane_of(&c); i++) {
        t.x[i] = fmaxf(normal(check, 1), 0);
    }
    for (size_t i = 0; i < (size_t)c.oc * (size_t)c.ic * 9; i++) {
        t.weight[i] = normal(check, sqrt(2.0 / (c.ic * 9)));
    }
    memset(t.bias, 0, (size_t)c.oc * sizeof *t.bias);
    compute(check, &c, &t);
    const double *magnitude = compute_magnitude(check, &c, &t);
    const float *y = run(check, &c, &t);
    for (size_t i = 0; i < (size_t)c.oc * plane_of(&c); i++) {
        const size_t oc = i / plane_of(&c), at = i % plane_of(&c), L = (size_t)lanes;
        const double got = (double)y[(oc / L * plane_of(&c) + at) * L + oc % L];
        errors += (got - t.y[i]) * (got - t.y[i]);
        values += t.y[i] * t.y[i];
        worst = fmax(worst, fabs(got - t.y[i]));
        largest = fmax(largest, fabs(t.y[i]));
        bound = fmax(bound, magnitude[i]);
    }
    const double rms = sqrt(errors / values);
    bound *= (operations_of(check, &c) + 1) * 0x1p-24;
    printf("%s F(%d), 256 channels: rms error %.2e of rms output, largest %.2e of the largest "
           "(bound %.0e)\n",
           check->kernels->isa, m, rms, worst / largest, bound / largest);
    if (!(rms <= 1.25 * expected)) {
        check_fail(check, "rms error %.3g, expected %.3g", rms, expected);
    }
    check_end(check);
}

/* --- non-finite numbers ----------------------------------------------------------------------- */

/* One such pixel: outputs that its window covers are not finite, those of tiles whose patch lacks it keep
 * their bits. */
static void check_spread(struct check *check, int m, int place, float number)
{
    const struct conv c = {.m = m, .ic = 5, .oc = 7, .h = 3 * m - 1, .w = 3 * m, .block = 4};
    const size_t L = (size_t)check->kernels->lanes;
    check_seed(check, "F(%d) of %g at random place %d", m, (double)number, place);
    const int row = check_range(check, 0, c.h - 1), column = check_range(check, 0, c.w - 1);
    check_begin(check, "F(%d) of %g at %d, %d", m, (double)number, row, column);
    const struct tensors t = make_tensors(check, &c);
    const float *before = run(check, &c, &t);
    t.x[2 * plane_of(&c) + (size_t)(row * c.w + column)] = number;
    const float *after = run(check, &c, &t);
    for (int i = 0; i < c.h * c.w; i++) {
        const int h = i / c.w, w = i % c.w, top = h / m * m, left = w / m * m;
        const bool covered = abs(h - row) <= 1 && abs(w - column) <= 1;
        const bool in_patch =
            row >= top - 1 && row <= top + m && column >= left - 1 && column <= left + m;
        for (size_t oc = 0; oc < (size_t)c.oc; oc++) {
            const size_t at = (oc / L * plane_of(&c) + (size_t)i) * L + oc % L;
            if (covered && isfinite(after[at])) {
                check_fail(check, "output %d, %d is finite", h, w);
            } else if (!in_patch && memcmp(before + at, after + at, sizeof *after) != 0) {
                check_fail(check, "output %d, %d has changed", h, w);
            }
        }
    }
    check_end(check);
}

void check_composed(struct check *check)
{
    static const double rms[] = {4.3e-7, 1.2e-6, 5.2e-6};
    const int lanes = check->kernels->lanes, width = check->kernels->conv_blocks * lanes;
    for (int m = 2; m <= 6; m += 2) {
        const int channels[] = {1, lanes, lanes + 1, width + 1};
        for (int i = 0; i < 16; i++) {
            check_case(check, &(struct conv){m, channels[i % 4], channels[i / 4], m + 1 + i / 3,
                                             2 * m + i % 5, 1 + i % 7, i % 2 != 0, i % 3 == 0});
        }
        for (int i = 0; i < 10; i++) {
            check_seed(check, "random F(%d) convolution %d", m, i);
            check_case(check,
                       &(struct conv){m, check_range(check, 1, 40), check_range(check, 1, 40),
                                      check_range(check, 2, 20), check_range(check, 2, 20),
                                      check_range(check, 1, 30), check_range(check, 0, 1) != 0,
                                      check_range(check, 0, 1) != 0});
        }
        check_case(check, &(struct conv){m, 512, width, 14, 14, 20, true, true});
        for (int i = 0; i < 4; i++) {
            check_spread(check, m, i, NAN);
            check_spread(check, m, i, i % 2 == 0 ? INFINITY : -INFINITY);
        }
        check_exactness(check, m, rms[m / 2 - 1]);
    }
}
