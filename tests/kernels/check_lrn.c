/* SPDX-License-Identifier: MIT */
/* lrn: windows of every size within a block and across several, partial blocks, special numbers. */
#include "check.h"

#include <math.h>

#include "kernels/ref.h"

struct lrn {
    int c, h, w, size;
    float alpha, beta, k;
    enum check_fill fill;
};

/* Every block, in calls of at most `step` rows. */
static void run(struct check *check, const struct lrn *l, const float *x, size_t x_row, float *y,
                size_t y_row, int step)
{
    const int lanes = check->kernels->lanes, blocks = check_ceil_div(l->c, lanes);
    for (int block = 0; block < blocks; block++) {
        for (int h = 0; h < l->h; h += step) {
            const struct vgg_lrn_args args = {
                .x = x,
                .x_block_stride = (ptrdiff_t)x_row * l->h,
                .x_row_stride = (ptrdiff_t)x_row,
                .blocks = blocks,
                .block = block,
                .y = y + (size_t)block * (size_t)l->h * y_row,
                .y_row_stride = (ptrdiff_t)y_row,
                .h_begin = h,
                .h_end = h + step < l->h ? h + step : l->h,
                .w = l->w,
                .size = l->size,
                .alpha = l->alpha,
                .beta = l->beta,
                .k = l->k,
            };
            check->kernels->lrn(&args);
        }
    }
}

/* All terms of a window's sum are positive, so its relative error is at most that of one term: the square,
 * the additions, alpha / size, the last multiply-add; the power takes beta times that. Roots and their
 * product add four and a half roundings, powf two at most, the division one. */
static double count_operations(const struct lrn *l)
{
    return ceil((double)l->beta * (l->size + 4)) + 6;
}

static void check_case(struct check *check, const struct lrn *l)
{
    check_begin(check, "lrn of %d: %dx%dx%d alpha %g beta %g k %g, %s numbers", l->size, l->c, l->h,
                l->w, (double)l->alpha, (double)l->beta, (double)l->k, check_fill_string(l->fill));
    const int lanes = check->kernels->lanes, blocks = check_ceil_div(l->c, lanes);
    const size_t pixels = (size_t)l->h * (size_t)l->w, row = (size_t)l->w * (size_t)lanes;
    const size_t y_row = row + (size_t)lanes; /* longer than its pixels */
    const size_t y_count = (size_t)blocks * (size_t)l->h * y_row;
    float *nchw = check_scratch(check, (size_t)l->c * pixels, sizeof *nchw);
    float *x = check_input(check, (size_t)blocks * (size_t)l->h * row, 0);
    double *want = check_scratch(check, (size_t)l->c * pixels, sizeof *want);
    float *y = check_output(check, y_count), *rows = check_output(check, y_count);
    check_fill(check, nchw, (size_t)l->c * pixels, l->fill);
    for (size_t c = 0; c < (size_t)l->c; c++) {
        for (size_t i = 0; i < pixels; i++) {
            x[(c / (size_t)lanes * pixels + i) * (size_t)lanes + c % (size_t)lanes] =
                nchw[c * pixels + i];
        }
    }
    vgg_ref_lrn(nchw, l->c, (int)pixels, l->size, (double)l->alpha, (double)l->beta, (double)l->k,
                want);
    run(check, l, x, row, y, y_row, l->h);
    run(check, l, x, row, rows, y_row, 1);
    check_same(check, "rows one by one", y, rows, y_count);
    for (int c = 0; c < blocks * lanes; c++) {
        for (size_t i = 0; i < pixels; i++) {
            const size_t h = (size_t)(c / lanes) * (size_t)l->h + i / (size_t)l->w;
            const float got =
                check_take(check, y + h * y_row + i % (size_t)l->w * (size_t)lanes + c % lanes);
            if (c < l->c) {
                const size_t at = (size_t)c * pixels + i;
                check_value(check, "output", at, got, want[at], fabs(want[at]), count_operations(l),
                            0);
            }
        }
    }
    check_untouched(check, y, y_count);
    check_end(check);
}

void check_lrn(struct check *check)
{
    const int lanes = check->kernels->lanes;
    const int channels[] = {1, lanes - 1, lanes, 2 * lanes + 1, 64};
    const int sizes[] = {1, 2, 3, 4, 5, 7, lanes + 1, 2 * lanes, 2 * lanes + 3, VGG_LRN_MAX_SIZE};
    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            check_case(check,
                       &(struct lrn){channels[c], 2, 5, sizes[s], 0.7f, 0.75f, 1, FILL_ORDINARY});
            check_case(check,
                       &(struct lrn){channels[c], 1, 3, sizes[s], 2, 0.6f, 0.5f, FILL_POSITIVE});
        }
    }
    for (int w = 1; w <= 34; w++) { /* strips */
        check_case(check, &(struct lrn){lanes + 2, 3, w, 5, 1e-4f, 0.75f, 2, FILL_ORDINARY});
    }
    for (int fill = 0; fill < FILL_KINDS; fill++) {
        const enum check_fill kind = (enum check_fill)fill;
        check_case(check, &(struct lrn){2 * lanes + 1, 4, 9, 5, 1, 0.75f, 2, kind});
        check_case(check, &(struct lrn){lanes + 1, 4, 9, 3, 0.5f, 1, 1, kind});
        check_case(check, &(struct lrn){lanes + 1, 3, 4, 3, 1, 0, 1, kind});
    }
    check_case(check, &(struct lrn){64, 8, 224, 5, 1e-4f, 0.75f, 2, FILL_ORDINARY});
}
