/* SPDX-License-Identifier: MIT */
/* linear: every remainder of k, rows and batch, weights at any byte, row ranges. The bits must not depend on how rows and
 * images are split, and 16-bit weights must give the same bits as the same numbers in float32. */
#include "check.h"

#include <string.h>

#include "base/half.h"
#include "kernels/ref.h"

struct linear {
    int rows, k, n;
    int begin;     /* first row to compute; the last one is the last */
    size_t offset; /* of the weights from a float's alignment, in bytes */
    enum vgg_weights_type type;
    bool no_bias, relu;
    enum check_fill x_fill, weight_fill;
};

static int log2_of(int power)
{
    return power == 1 ? 0 : 1 + log2_of(power / 2);
}

/* Rows begin … end-1 of images first … first+n-1. */
static void call(struct check *check, struct vgg_linear_args args, int begin, int end, int first,
                 int n)
{
    args.x += first * args.x_stride;
    args.y += first * args.y_stride;
    args.begin = begin;
    args.end = end;
    args.n = n;
    check->kernels->linear(&args);
}

/* Does the same work in other calls; each must give y's bits. */
static void check_splits(struct check *check, struct vgg_linear_args args, const float *y,
                         size_t count)
{
    const int tile = check->kernels->linear_rows;
    args.y = check_output(check, count);
    for (int n = 0; n < args.n; n++) {
        call(check, args, args.begin, args.end, n, 1);
    }
    check_same(check, "images one by one", y, args.y, count);

    args.y = check_output(check, count);
    for (int row = args.begin; row < args.end; row += tile) {
        call(check, args, row, row + tile < args.end ? row + tile : args.end, 0, args.n);
    }
    check_same(check, "rows tile by tile", y, args.y, count);

    args.y = check_output(check, count);
    const int cut = check_range(check, args.begin, args.end);
    call(check, args, args.begin, cut, 0, args.n);
    call(check, args, cut, args.end, 0, args.n);
    check_same(check, "rows cut anywhere", y, args.y, count);
}

/* Stores weights as 16-bit numbers, and replaces them by the values stored. */
static void store_halves(float *weight, size_t count, enum vgg_weights_type type, char *out)
{
    for (size_t i = 0; i < count; i++) {
        const double value = (double)weight[i];
        const bool bf16 = type == VGG_WEIGHTS_BF16;
        const uint16_t stored =
            bf16 ? vgg_bfloat16_from_double(value) : vgg_half_from_double(value);
        weight[i] = bf16 ? vgg_bfloat16_to_float(stored) : vgg_half_to_float(stored);
        memcpy(out + i * sizeof stored, &stored, sizeof stored);
    }
}

static void check_case(struct check *check, const struct linear *c)
{
    static const char *const types[] = {"float32", "bfloat16", "float16"};
    check_begin(check, "linear %d->%d batch %d from row %d, offset %zu%s%s, %s x, %s %s weights",
                c->k, c->rows, c->n, c->begin, c->offset, c->no_bias ? ", no bias" : "",
                c->relu ? ", relu" : "", check_fill_string(c->x_fill),
                check_fill_string(c->weight_fill), types[c->type]);
    const size_t k = (size_t)c->k, rows = (size_t)c->rows, n = (size_t)c->n;
    const size_t x_stride = k + 3, y_stride = rows + 2, count = n * y_stride;
    float *weight = check_scratch(check, rows * k, sizeof *weight);
    float *x = check_input(check, (n - 1) * x_stride + k, 0);
    float *bias = check_input(check, rows, 0);
    const size_t bytes = rows * k * (c->type == VGG_WEIGHTS_F32 ? sizeof(float) : sizeof(uint16_t));
    char *unaligned =
        check_input(check, bytes / sizeof(float),
                    bytes % sizeof(float) + (sizeof(float) - c->offset) % sizeof(float));
    double *want = check_scratch(check, rows, sizeof *want);
    double *magnitude = check_scratch(check, rows, sizeof *magnitude);
    check_fill(check, weight, rows * k, c->weight_fill);
    check_fill(check, bias, rows, FILL_ORDINARY);
    for (size_t i = 0; i < n; i++) {
        check_fill(check, x + i * x_stride, k, c->x_fill);
    }
    if (c->type == VGG_WEIGHTS_F32) {
        memcpy(unaligned, weight, bytes);
    } else {
        store_halves(weight, rows * k, c->type, unaligned);
    }

    struct vgg_linear_args args = {.weight = unaligned,
                                   .type = c->type,
                                   .bias = c->no_bias ? NULL : bias,
                                   .x = x,
                                   .x_stride = (ptrdiff_t)x_stride,
                                   .y = check_output(check, count),
                                   .y_stride = (ptrdiff_t)y_stride,
                                   .begin = c->begin,
                                   .end = c->rows,
                                   .k = c->k,
                                   .n = c->n,
                                   .relu = c->relu};
    call(check, args, c->begin, c->rows, 0, c->n);
    check_splits(check, args, args.y, count);
    if (c->type != VGG_WEIGHTS_F32) {
        struct vgg_linear_args widened = args;
        widened.weight = weight;
        widened.type = VGG_WEIGHTS_F32;
        widened.y = check_output(check, count);
        call(check, widened, c->begin, c->rows, 0, c->n);
        check_same(check, "widened before", args.y, widened.y, count);
    }

    const int lanes = check->kernels->lanes;
    const double operations = check_ceil_div(c->k, lanes) + log2_of(lanes) + 1 + !check->fused;
    for (size_t i = 0; i < n; i++) {
        vgg_ref_linear(x + i * x_stride, weight, args.bias, c->rows, c->k, want, magnitude);
        for (size_t row = (size_t)c->begin; row < rows; row++) {
            check_value(check, "row", row, check_take(check, args.y + i * y_stride + row),
                        c->relu ? check_relu(want[row]) : want[row], magnitude[row], operations, 0);
        }
    }
    check_untouched(check, args.y, count);
    check_end(check);
}

void check_linear(struct check *check)
{
    const int lanes = check->kernels->lanes, tile = check->kernels->linear_rows;
    for (int k = 1; k <= 2 * lanes + 1; k++) {
        check_case(check, &(struct linear){tile + 1, k, 1 + k % 7, .offset = (size_t)k % 4,
                                           .relu = k % 2 == 0});
    }
    for (int rows = 1; rows <= 2 * tile + 1; rows++) {
        for (size_t offset = 0; offset < 4; offset++) {
            check_case(check, &(struct linear){rows, 2 * lanes + 3, 1 + rows % 7, .begin = rows / 3,
                                               .offset = offset, .no_bias = rows % 5 == 0});
        }
    }
    for (int n = 1; n <= 7; n++) {
        check_case(check, &(struct linear){2 * tile + 1, 100, n, .relu = true});
    }
    /* More images than are computed together, and every remainder of a group of them. */
    for (int n = 57; n <= 73; n++) {
        check_case(check, &(struct linear){tile + 2, 530, n, .offset = 1, .relu = true});
    }
    check_case(check, &(struct linear){3, 1100, 150, .begin = 1});
    for (int fill = 0; fill < FILL_MIXED; fill++) {
        const enum check_fill other = fill == FILL_OVERFLOW ? FILL_POSITIVE : FILL_ORDINARY;
        check_case(check,
                   &(struct linear){tile + 1, 5 * lanes + 1, 3, .x_fill = (enum check_fill)fill,
                                    .weight_fill = other, .relu = true});
        check_case(check, &(struct linear){tile + 1, 5 * lanes + 1, 4, .x_fill = other,
                                           .weight_fill = (enum check_fill)fill});
    }
    check_case(check, &(struct linear){41, 25088, 1, .offset = 1, .relu = true});
    check_case(check, &(struct linear){1000, 4096, 2, .offset = 2});
    for (enum vgg_weights_type type = VGG_WEIGHTS_BF16; type <= VGG_WEIGHTS_F16; type++) {
        for (int k = 1; k <= 2 * lanes + 1; k++) {
            check_case(check, &(struct linear){tile + 1, k, 1 + k % 3, .offset = (size_t)k % 4,
                                               .type = type});
        }
        for (int n = 62; n <= 66; n++) {
            check_case(check, &(struct linear){tile + 2, 1060, n, .offset = 1, .type = type});
        }
        for (enum check_fill fill = FILL_ORDINARY; fill < FILL_HUGE; fill++) {
            for (int n = 1; n <= 2; n++) {
                check_case(check, &(struct linear){tile + 1, 5 * lanes + 1, n, .type = type,
                                                   .weight_fill = fill, .relu = true});
            }
        }
    }
    for (int i = 0; i < 60; i++) {
        check_seed(check, "random linear %d", i);
        check_case(check, &(struct linear){.type = (enum vgg_weights_type)check_range(check, 0, 2),
                                           .rows = check_range(check, 20, 60),
                                           .k = check_range(check, 1, 300),
                                           .n = check_range(check, 1, 7),
                                           .begin = check_range(check, 0, 19),
                                           .offset = (size_t)check_range(check, 0, 3),
                                           .relu = check_range(check, 0, 1) != 0});
    }
}
