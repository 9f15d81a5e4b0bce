/* SPDX-License-Identifier: MIT */
/* columns: every remainder of k, rows and batch, weights of every type at any byte, ranges of slices. The bits must not
 * depend on how slices and images are split, nor on whether zero inputs are listed. */
#include "check.h"

#include <string.h>

#include "base/half.h"
#include "kernels/ref.h"

struct columns {
    int rows, k, n;
    enum vgg_weights_type type;
    int begin;     /* first slice to compute; the last one is the last */
    size_t offset; /* of the weights from a float's alignment, in bytes */
    int zeros;     /* of ten inputs */
    bool no_bias, relu;
    enum check_fill x_fill;
};

enum { ROWS = VGG_COLUMNS_ROWS };

/* Which zero inputs are listed. */
enum listed { NEEDED, SOME, ALL };

/* Makes the lists and the listed inputs of all tiles of n images with inputs x. */
static void make_lists(struct check *check, struct vgg_columns_args *args, const float *x,
                       size_t x_stride, enum listed listed)
{
    const size_t n = (size_t)args->n, k = (size_t)args->k;
    const size_t tile = n > 1 ? VGG_COLUMNS_TILE : 1;
    const size_t tiles = (n + tile - 1) / tile, blocks = (k - 1) / VGG_COLUMNS_BLOCK + 1;
    int32_t *lists = check_input(check, tiles * (blocks + k), 0);
    float *inputs = check_input(check, tiles * k * tile, 0);
    args->lists = lists;
    args->list_stride = (ptrdiff_t)(blocks + k);
    args->x = inputs;
    args->x_stride = (ptrdiff_t)(k * tile);
    for (size_t t = 0; t < tiles; t++, inputs += k * tile) {
        int32_t *ends = lists + t * (blocks + k), count = 0;
        for (size_t i = 0; i < k; i++) {
            bool needed = listed == ALL || (listed == SOME && check_range(check, 0, 1) == 0);
            for (size_t p = 0; p < tile; p++) {
                const size_t image = t * tile + p;
                float *to = inputs + (size_t)count * tile + p;
                *to = image < n ? x[image * x_stride + i] : 0;
                needed = needed || *to != 0;
            }
            if (needed) {
                ends[blocks + (size_t)count++] = (int32_t)i;
            }
            ends[i / VGG_COLUMNS_BLOCK] = count;
        }
    }
}

/* The inputs of a case, before they are listed. */
struct inputs {
    const float *x;
    size_t stride;
};

/* Slices begin … end-1 of images first … first+n-1. */
static void call(struct check *check, struct vgg_columns_args args, struct inputs inputs, int begin,
                 int end, int first, int n, enum listed listed)
{
    args.y += first * args.y_stride;
    args.begin = begin;
    args.end = end;
    args.n = n;
    make_lists(check, &args, inputs.x + (size_t)first * inputs.stride, inputs.stride, listed);
    check->kernels->columns(&args);
}

/* Does the same work in other calls and with other lists; each must give y's bits. */
static void check_splits(struct check *check, struct vgg_columns_args args, struct inputs inputs,
                         const float *y, size_t count)
{
    args.y = check_output(check, count);
    call(check, args, inputs, args.begin, args.end, 0, args.n, ALL);
    check_same(check, "all inputs", y, args.y, count);

    args.y = check_output(check, count);
    call(check, args, inputs, args.begin, args.end, 0, args.n, SOME);
    check_same(check, "some zeros", y, args.y, count);

    args.y = check_output(check, count);
    for (int n = 0; n < args.n && n < 9; n++) {
        call(check, args, inputs, args.begin, args.end, n, 1, NEEDED);
    }
    if (args.n > 9) {
        call(check, args, inputs, args.begin, args.end, 9, args.n - 9, NEEDED);
    }
    check_same(check, "images one by one", y, args.y, count);

    args.y = check_output(check, count);
    for (int slice = args.begin; slice < args.end; slice++) {
        call(check, args, inputs, slice, slice + 1, 0, args.n, SOME);
    }
    check_same(check, "slice by slice", y, args.y, count);
}

/* Stores a weight; returns its value. */
static float make_weight(struct check *check, enum vgg_weights_type type, void *to)
{
    float value;
    check_fill(check, &value, 1, FILL_ORDINARY);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (type == VGG_WEIGHTS_F32) {
        memcpy(to, &value, sizeof value);
        return value;
    }
    /* Any binary16 up to 4, denormals and zeros of both signs included. */
    const uint16_t half = (uint16_t)(check_range(check, 0, 16) << 10 | (int)(bits & 0x83ff));
    const uint16_t stored = type == VGG_WEIGHTS_BF16 ? (uint16_t)(bits >> 16) : half;
    memcpy(to, &stored, sizeof stored);
    return type == VGG_WEIGHTS_BF16 ? vgg_bfloat16_to_float(stored) : vgg_half_to_float(stored);
}

static void check_case(struct check *check, const struct columns *c)
{
    static const char *const types[] = {"float32", "bfloat16", "float16"};
    check_begin(check, "columns %d->%d batch %d %s from slice %d, offset %zu, %d zeros%s%s, %s x",
                c->k, c->rows, c->n, types[c->type], c->begin, c->offset, c->zeros,
                c->no_bias ? ", no bias" : "", c->relu ? ", relu" : "",
                check_fill_string(c->x_fill));
    const size_t k = (size_t)c->k, rows = (size_t)c->rows, n = (size_t)c->n;
    const size_t bytes = c->type == VGG_WEIGHTS_F32 ? sizeof(float) : sizeof(uint16_t);
    const size_t x_stride = k + 3, y_stride = rows + 2, count = n * y_stride;
    const size_t elements = vgg_columns_elements(rows, k);
    float *weight = check_scratch(check, rows * k, sizeof *weight);
    float *x = check_input(check, (n - 1) * x_stride + k, 0);
    float *bias = check_input(check, rows, 0);
    char *stored = check_input(check, elements * bytes / sizeof(float),
                               (sizeof(float) - c->offset) % sizeof(float));
    double *want = check_scratch(check, rows, sizeof *want);
    double *magnitude = check_scratch(check, rows, sizeof *magnitude);
    check_fill(check, bias, rows, FILL_ORDINARY);
    for (size_t i = 0; i < n; i++) {
        check_fill(check, x + i * x_stride, k, c->x_fill);
    }
    for (size_t i = 0; i < (n - 1) * x_stride + k; i++) {
        if (check_range(check, 1, 10) <= c->zeros) {
            check_fill(check, x + i, 1, FILL_ZERO);
        }
    }
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < k; i++) {
            char *to = stored + ((row / ROWS * k + i) * ROWS + row % ROWS) * bytes;
            weight[row * k + i] = make_weight(check, c->type, to);
        }
    }

    struct vgg_columns_args args = {.weight = stored,
                                    .type = c->type,
                                    .bias = c->no_bias ? NULL : bias,
                                    .y = check_output(check, count),
                                    .y_stride = (ptrdiff_t)y_stride,
                                    .begin = c->begin,
                                    .end = check_ceil_div(c->rows, ROWS),
                                    .rows = c->rows,
                                    .k = c->k,
                                    .n = c->n,
                                    .relu = c->relu};
    const struct inputs inputs = {x, x_stride};
    call(check, args, inputs, args.begin, args.end, 0, c->n, NEEDED);
    check_splits(check, args, inputs, args.y, count);

    const int chain = c->k < VGG_COLUMNS_BLOCK ? c->k : VGG_COLUMNS_BLOCK;
    const double operations = chain + check_ceil_div(c->k, VGG_COLUMNS_BLOCK) + 1 + !check->fused;
    for (size_t i = 0; i < n; i++) {
        vgg_ref_linear(x + i * x_stride, weight, args.bias, c->rows, c->k, want, magnitude);
        for (size_t row = (size_t)c->begin * ROWS; row < rows; row++) {
            check_value(check, "row", row, check_take(check, args.y + i * y_stride + row),
                        c->relu ? check_relu(want[row]) : want[row], magnitude[row], operations, 0);
        }
    }
    check_untouched(check, args.y, count);
    check_end(check);
}

void check_columns(struct check *check)
{
    const int lanes = check->kernels->lanes, tile = VGG_COLUMNS_TILE;
    for (enum vgg_weights_type type = VGG_WEIGHTS_F32; type <= VGG_WEIGHTS_F16; type++) {
        for (int k = 1; k <= 11; k++) {
            check_case(check, &(struct columns){ROWS + 1, k, 1 + k % 3, type, .zeros = k % 7,
                                                .offset = (size_t)k % 4, .relu = k % 2 == 0});
        }
        for (int rows = 1; rows <= 2 * lanes + 1; rows++) {
            check_case(check, &(struct columns){rows, 2 * lanes + 3, 1 + rows % 7, type,
                                                .offset = (size_t)rows % 4, .zeros = 5,
                                                .no_bias = rows % 5 == 0});
        }
        /* From one slice to more than are streamed at once. */
        for (int slices = 1; slices <= 9; slices++) {
            check_case(check,
                       &(struct columns){slices * ROWS - slices % 3, 270, 1, type,
                                         .begin = slices / 3, .zeros = slices, .relu = true});
        }
        for (int n = 2; n <= 2 * tile + 1; n++) {
            check_case(check, &(struct columns){ROWS + 5, 300, n, type, .zeros = 8, .relu = true});
        }
        /* Near the ends of blocks of inputs. */
        for (int k = 2 * VGG_COLUMNS_BLOCK - 1; k <= 2 * VGG_COLUMNS_BLOCK + 1; k++) {
            check_case(check, &(struct columns){70, k, 1, type, .zeros = 6});
            check_case(check, &(struct columns){70, k, tile + 1, type, .zeros = 9});
        }
        /* All inputs zero, and none. */
        for (int zeros = 0; zeros <= 10; zeros += 10) {
            check_case(check, &(struct columns){150, 600, 1, type, .zeros = zeros});
            check_case(check,
                       &(struct columns){70, 600, tile, type, .zeros = zeros, .no_bias = true});
        }
        for (int fill = 0; fill < FILL_MIXED; fill++) {
            check_case(check, &(struct columns){ROWS + 1, 300, 1, type, .zeros = 5, .relu = true,
                                                .x_fill = (enum check_fill)fill});
            check_case(check, &(struct columns){ROWS + 1, 300, 3, type, .zeros = 5,
                                                .x_fill = (enum check_fill)fill});
        }
    }
    for (int n = VGG_COLUMNS_BATCH - tile; n <= VGG_COLUMNS_BATCH; n++) {
        check_case(check, &(struct columns){66, 530, n, .offset = 1, .zeros = 9});
    }
    check_case(check, &(struct columns){41, 25088, 1, .offset = 1, .zeros = 8, .relu = true});
    check_case(check, &(struct columns){1000, 4096, 2, .zeros = 6});
    for (int i = 0; i < 30; i++) {
        check_seed(check, "random columns %d", i);
        check_case(check, &(struct columns){.rows = check_range(check, 130, 300),
                                            .k = check_range(check, 1, 900),
                                            .n = check_range(check, 1, 9),
                                            .type = (enum vgg_weights_type)check_range(check, 0, 2),
                                            .begin = check_range(check, 0, 2),
                                            .offset = (size_t)check_range(check, 0, 3),
                                            .zeros = check_range(check, 0, 10),
                                            .relu = check_range(check, 0, 1) != 0});
    }
}
