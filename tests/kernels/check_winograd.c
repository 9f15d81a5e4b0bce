/* SPDX-License-Identifier: MIT */
/* The transforms of Winograd convolution, one block of channels, lane by lane, against the matrices of the definition:
 * partial tiles at the right and at the bottom, ranges of tiles that begin and end within a row, pools over odd planes,
 * special numbers. */
#include "check.h"

#include <math.h>

#include "base/cpu.h"
#include "kernels/ref.h"

/* Frequencies, and blocks that are transformed together. */
enum { MAX_F = 64, MAX_BLOCKS = 2 };

/* The maximum number of operations that a term goes through in one pass over rows or columns, see check.h. */
static double input_operations(const struct check *check, int m)
{
    const int depth = m == 2 ? 1 : m == 4 ? 2 : 3;
    return 2.0 * depth * (check->fused ? 1 : 2);
}

static double output_operations(const struct check *check, int m)
{
    const int depth = m == 2 ? 2 : m == 4 ? 3 : 4;
    return 2.0 * depth * (check->fused ? 1 : 2) + 1; /* and the bias */
}

/* The absolute error from denormal numbers: each operation loses up to 2^-150, or 2^-126 with denormals off, and the later
 * ones multiply that by at most what the matrix can, twice. */
static double denormal_slack(const struct vgg_ref_matrix *a, double operations,
                             enum check_fill fill, bool denormals_off)
{
    double norm = 1;
    for (int r = 0; r < a->rows; r++) {
        double sum = 0;
        for (int k = 0; k < a->columns; k++) {
            sum += fabs(a->at[r][k]);
        }
        norm = fmax(norm, sum);
    }
    return fill != FILL_DENORMAL
               ? 0
               : (operations + 1) * norm * norm * (denormals_off ? 0x1p-126 : 0x1p-150);
}

static const char *off_string(bool denormals_off)
{
    return denormals_off ? ", denormals off" : "";
}

/* --- input ------------------------------------------------------------------------------------ */

/*   rows, columns   pixels of the input with its padding     begin, end   tiles
 *   block, blocks   the first block transformed, and all (0: one)     v_tile   tile `begin` in V */
struct input {
    int m, rows, columns, begin, end;
    enum check_fill fill;
    bool denormals_off;
    int block, blocks, v_tile;
};

static int tiles_across(int m, int columns)
{
    return check_ceil_div(columns - 2, m);
}

/* What a case passes to the kernel, and the size of what it writes. */
struct input_run {
    struct vgg_winograd_input_args args;
    /* How many of the blocks that are transformed together exist. */
    int together;
    size_t v_count;
};

static struct input_run run_input(struct check *check, const struct input *c)
{
    const struct vgg_kernels *kernels = check->kernels;
    const int n = c->m + 2, lanes = kernels->lanes, blocks = c->blocks > 0 ? c->blocks : 1;
    const int left = blocks - c->block;
    const int together = left < kernels->v_blocks ? left : kernels->v_blocks;
    const size_t x_row = (size_t)(c->columns + 1) * (size_t)lanes;
    const size_t x_block = (size_t)(c->rows + 1) * x_row;
    const size_t x_count = (size_t)(together - 1) * x_block + (size_t)(c->rows - 1) * x_row +
                           (size_t)(c->columns * lanes);
    const size_t tiles = vgg_round_tiles(kernels, (size_t)(c->v_tile + c->end - c->begin));
    const size_t f_stride = vgg_v_elements(kernels, (size_t)blocks, tiles) + (size_t)lanes;
    const size_t v_count = (size_t)(n * n) * f_stride;
    float *x = check_input(check, x_count, 0), *v = check_output(check, v_count);
    check_fill(check, x, x_count, c->fill);
    const struct input_run run = {
        .args = {.m = c->m,
                 .x = x,
                 .x_block_stride = (ptrdiff_t)x_block,
                 .x_row_stride = (ptrdiff_t)x_row,
                 .rows = c->rows,
                 .columns = c->columns,
                 .tiles_w = tiles_across(c->m, c->columns),
                 .tile_begin = c->begin,
                 .tile_end = c->end,
                 .block = c->block,
                 .blocks = blocks,
                 .v = v,
                 .v_f_stride = (ptrdiff_t)f_stride,
                 .v_block_stride = (ptrdiff_t)tiles * lanes,
                 .v_tile = c->v_tile},
        .together = together,
        .v_count = v_count,
    };
    const uint64_t mode = c->denormals_off ? vgg_denormals_off() : 0;
    kernels->winograd_input(&run.args);
    if (c->denormals_off) {
        vgg_denormals_restore(mode);
    }
    return run;
}

/* The patch of tile t in x's block, one lane; outside there are zeros. */
static void read_patch(const struct vgg_winograd_input_args *a, const float *x, int t, int lane,
                       int lanes, double d[MAX_F])
{
    const int n = a->m + 2;
    for (int i = 0; i < n * n; i++) {
        const int row = t / a->tiles_w * a->m + i / n, column = t % a->tiles_w * a->m + i % n;
        const bool inside = row < a->rows && column < a->columns;
        d[i] = inside ? (double)x[row * a->x_row_stride + column * lanes + lane] : 0;
    }
}

static double input_slack(const struct check *check, const struct input *c,
                          const struct vgg_ref_matrix *matrix)
{
    const double operations = input_operations(check, c->m);
    const double slack = denormal_slack(matrix, operations, c->fill, c->denormals_off);
    /* The lower half of a denormal is in no term. */
    const bool halves = check->kernels->v_terms > 1 && c->fill == FILL_DENORMAL;
    return slack + (halves ? 0x1p-133 : 0);
}

static void check_input_case(struct check *check, const struct input *c)
{
    check_begin(check, "winograd_input F(%d) %dx%d tiles %d to %d at %d, block %d of %d, %s%s",
                c->m, c->rows, c->columns, c->begin, c->end, c->v_tile, c->block, c->blocks,
                check_fill_string(c->fill), off_string(c->denormals_off));
    const int lanes = check->kernels->lanes, v_blocks = check->kernels->v_blocks;
    const struct input_run run = run_input(check, c);
    const struct vgg_winograd_input_args *a = &run.args;
    struct vgg_ref_winograd matrices;
    vgg_ref_winograd(c->m, &matrices);
    const double slack = input_slack(check, c, &matrices.input);
    for (int i = 0; i < (c->end - c->begin) * lanes; i++) {
        const int t = i / lanes, v_t = c->v_tile + t, lane = i % lanes;
        double d[MAX_F], want[MAX_BLOCKS][MAX_F], magnitude[MAX_BLOCKS][MAX_F];
        for (int b = 0; b < run.together; b++) {
            read_patch(a, a->x + b * a->x_block_stride, c->begin + t, lane, lanes, d);
            vgg_ref_transform(&matrices.input, d, NULL, want[b], magnitude[b]);
        }
        for (int f = 0; f < (c->m + 2) * (c->m + 2); f++) {
            float *at = a->v + f * a->v_f_stride;
            for (int b = 0; b < v_blocks; b++) {
                const float got =
                    check_read_v(check, at, a->v_block_stride, a->blocks, c->block + b, v_t, lane);
                if (b < run.together) {
                    check_value(check, "frequency", (size_t)f, got, want[b][f], magnitude[b][f],
                                input_operations(check, c->m), slack);
                } else if (got != 0) {
                    check_fail(check, "the block past the last one is not zero");
                }
            }
            check_untake_v(check, at, a->v_block_stride, a->blocks, c->block, v_t, lane);
        }
    }
    check_untouched(check, a->v, run.v_count);
    check_end(check);
}

/* --- output ----------------------------------------------------------------------------------- */

/*   h, w   outputs of the convolution, before the pool     begin, end   tiles */
struct output {
    int m, h, w, begin, end;
    bool relu, pool;
    enum check_fill fill;
    bool denormals_off;
};

/* The maximum; NaN when either is NaN. */
static double larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

static void check_output_case(struct check *check, const struct output *c)
{
    const int m = c->m, n = m + 2, lanes = check->kernels->lanes, window = c->pool ? 2 : 1;
    const int oh = c->h / window, ow = c->w / window, tiles_w = check_ceil_div(c->w, m);
    check_begin(check, "winograd_output F(%d) %dx%d tiles %d to %d%s%s, %s%s", m, c->h, c->w,
                c->begin, c->end, c->relu ? " relu" : "", c->pool ? " pool" : "",
                check_fill_string(c->fill), off_string(c->denormals_off));
    const size_t tiles = (size_t)(c->end - c->begin), f_stride = (tiles + 1) * (size_t)lanes;
    const size_t m_count = (size_t)(n * n - 1) * f_stride + tiles * (size_t)lanes;
    const size_t y_row = (size_t)(ow + 2) * (size_t)lanes, y_count = (size_t)(oh + 2) * y_row;
    float *products = check_input(check, m_count, 0);
    float *bias = check_input(check, (size_t)lanes, 0);
    float *framed = check_output(check, y_count), *y = framed + y_row + lanes;
    check_fill(check, products, m_count, c->fill);
    check_fill(check, bias, (size_t)lanes,
               c->fill == FILL_DENORMAL ? FILL_DENORMAL : FILL_ORDINARY);
    const uint64_t mode = c->denormals_off ? vgg_denormals_off() : 0;
    check->kernels->winograd_output(&(struct vgg_winograd_output_args){
        .m = m,
        .m_data = products,
        .m_f_stride = (ptrdiff_t)f_stride,
        .bias = bias,
        .y = y,
        .y_row_stride = (ptrdiff_t)y_row,
        .oh = oh,
        .ow = ow,
        .tiles_w = tiles_w,
        .tile_begin = c->begin,
        .tile_end = c->end,
        .relu = c->relu,
        .pool = c->pool,
    });
    if (c->denormals_off) {
        vgg_denormals_restore(mode);
    }

    struct vgg_ref_winograd matrices;
    vgg_ref_winograd(m, &matrices);
    const double operations = output_operations(check, m);
    const double slack = denormal_slack(&matrices.output, operations, c->fill, c->denormals_off);
    for (int t = c->begin; t < c->end; t++) {
        for (int lane = 0; lane < lanes; lane++) {
            double d[MAX_F], tile[MAX_F], magnitude[MAX_F];
            for (int f = 0; f < n * n; f++) {
                d[f] = (double)
                    products[(size_t)f * f_stride + (size_t)((t - c->begin) * lanes + lane)];
            }
            vgg_ref_transform(&matrices.output, d, NULL, tile, magnitude);
            for (int i = 0; i < m / window; i++) {
                for (int j = 0; j < m / window; j++) {
                    const int row = t / tiles_w * (m / window) + i;
                    const int column = t % tiles_w * (m / window) + j;
                    double want = tile[i * window * m + j * window], size = 0;
                    for (int k = 0; k < window * window; k++) {
                        const int at = (i * window + k / 2) * m + j * window + k % 2;
                        want = larger(tile[at], want);
                        size = fmax(size, magnitude[at]);
                    }
                    if (row < oh && column < ow) {
                        want += (double)bias[lane];
                        size += fabs((double)bias[lane]);
                        check_value(check, "pixel", (size_t)(row * ow + column),
                                    check_take(check, y + (size_t)row * y_row +
                                                          (size_t)(column * lanes + lane)),
                                    c->relu ? check_relu(want) : want, size, operations, slack);
                    }
                }
            }
        }
    }
    check_untouched(check, framed, y_count);
    check_end(check);
}

/* --- filters ---------------------------------------------------------------------------------- */

/* `count` input channels; their filters of an output channel lie `gap` elements before the next one's. */
static void check_filter_case(struct check *check, int m, int count, int gap, enum check_fill fill)
{
    const int f_count = (m + 2) * (m + 2), lanes = check->kernels->lanes;
    check_begin(check, "winograd_filter F(%d), %d channels, %s", m, count, check_fill_string(fill));
    const size_t c_stride = (size_t)(2 * lanes), f_stride = c_stride * (size_t)count;
    const size_t g_stride = (size_t)(9 * count + gap), g_count = g_stride * (size_t)(lanes - 1);
    const size_t u_count = (size_t)f_count * f_stride;
    float *g = check_input(check, g_count + (size_t)(9 * count), 0);
    float *u = check_output(check, u_count);
    check_fill(check, g, g_count + (size_t)(9 * count), fill);
    check->kernels->winograd_filter(
        &(struct vgg_winograd_filter_args){.m = m,
                                           .g = g,
                                           .g_stride = (ptrdiff_t)g_stride,
                                           .count = count,
                                           .u = u,
                                           .u_f_stride = (ptrdiff_t)f_stride,
                                           .u_c_stride = (ptrdiff_t)c_stride});
    struct vgg_ref_winograd matrices;
    vgg_ref_winograd(m, &matrices);
    for (int i = 0; i < lanes * count; i++) {
        const int lane = i % lanes, c = i / lanes;
        double taps[9], want[MAX_F], magnitude[MAX_F];
        for (int k = 0; k < 9; k++) {
            taps[k] = (double)g[(size_t)lane * g_stride + (size_t)(9 * c + k)];
        }
        vgg_ref_transform(&matrices.filter, taps, NULL, want, magnitude);
        for (int f = 0; f < f_count; f++) {
            const float got =
                check_take(check, u + (size_t)f * f_stride + (size_t)c * c_stride + lane);
            if (!isfinite(magnitude[f])) {
                /* Any non-finite number is right, because the channel's outputs are not finite anyway. */
                if (isfinite(got)) {
                    check_fail(check, "frequency %d is finite: %.9g", f, (double)got);
                }
            } else if (fill != FILL_NAN && fill != FILL_INFINITE) {
                /* Rounded once, from a sum whose terms went through a few operations in double. */
                check_value(check, "frequency", (size_t)f, got, want[f],
                            fabs(want[f]) + 0x1p-24 * magnitude[f], 1, 0);
            }
        }
    }
    check_untouched(check, u, u_count);
    check_end(check);
}

/* --- cases ------------------------------------------------------------------------------------ */

/* Planes of every size up to two tiles and one pixel; all tiles, and some of them. */
static void check_sizes(struct check *check, int m)
{
    for (int h = 1; h <= 2 * m + 1; h += h < m ? m - 1 : 1) {
        for (int w = 1; w <= 3 * m + 1; w++) {
            const int tiles = check_ceil_div(h, m) * check_ceil_div(w, m);
            check_seed(check, "random tiles of F(%d) %dx%d", m, h, w);
            const int begin = check_range(check, 0, tiles - 1);
            const int end = check_range(check, begin + 1, tiles);
            check_input_case(check, &(struct input){m, h + 2, w + 2, 0, tiles, .fill = 0});
            check_input_case(check, &(struct input){m, h + 2, w + 2, begin, end, .fill = 0});
            for (int kind = 0; kind < 4; kind++) {
                struct output c = {m, h, w, 0, tiles, .relu = kind % 2 != 0, .pool = kind >= 2};
                check_output_case(check, &c);
                c.begin = begin;
                c.end = end;
                check_output_case(check, &c);
            }
        }
    }
}

/* Every block of several, also of odd numbers of blocks, and tiles at any place of V. */
static void check_places(struct check *check, int m)
{
    static const int v_tiles[] = {0, 1, 15, 16, 31, 32, 60};
    const int v_blocks = check->kernels->v_blocks;
    for (int blocks = 1; blocks <= 5; blocks++) {
        for (int block = 0; block < blocks; block += v_blocks) {
            for (size_t i = 0; i < sizeof v_tiles / sizeof *v_tiles; i++) {
                check_input_case(check, &(struct input){m, m + 3, 3 * m + 1, 1, 5, FILL_ORDINARY,
                                                        false, block, blocks, v_tiles[i]});
            }
        }
    }
}

static void check_special(struct check *check, int m)
{
    static const enum check_fill fills[] = {FILL_POSITIVE, FILL_NAN,  FILL_INFINITE,
                                            FILL_DENORMAL, FILL_HUGE, FILL_ZERO};
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        for (int off = 0; off < 2; off++) {
            const bool denormals_off = off != 0;
            check_input_case(check, &(struct input){m, 2 * m + 1, 3 * m, 1, 6, fills[i],
                                                    denormals_off, .block = 0});
            for (int kind = 0; kind < 4; kind++) {
                check_output_case(check,
                                  &(struct output){m, 2 * m - 1, 3 * m - 1, 1, 5, kind % 2 != 0,
                                                   kind >= 2, fills[i], denormals_off});
            }
        }
        check_filter_case(check, m, 3, 5, fills[i]);
    }
    for (int count = 1; count <= 17; count++) {
        check_filter_case(check, m, count, count % 3, FILL_ORDINARY);
    }
}

void check_winograd(struct check *check)
{
    for (int m = 2; m <= 6; m += 2) {
        check_sizes(check, m);
        check_places(check, m);
        check_special(check, m);
        check_input_case(check, &(struct input){m, 58, 58, 5, 33, .fill = FILL_ORDINARY});
        check_output_case(check,
                          &(struct output){m, 56, 56, 5, 33, true, true, FILL_ORDINARY, false});
    }
}
