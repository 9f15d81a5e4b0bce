/* SPDX-License-Identifier: MIT */
/* Fully connected layers of bytes: every remainder of groups, rows and images, weights at any byte, results as bytes and as
 * float32. */
#include "check_int8.h"

#include <string.h>

struct linear {
    int rows, k_blocks, n;
    int begin; /* first group to compute; the last one is the last */
    size_t gap;
    bool to_float;
    struct check_numbers numbers;
};

/* An image's result for one row: its index among y's, which are bytes or floats. */
static void compare_row(struct check *check, const struct vgg_int8_linear_args *a, int image,
                        int row)
{
    const size_t k = (size_t)a->k_blocks * VGG_INT8_BLOCK;
    const int8_t *weight = a->weight + (size_t)(row / 16) * k * 16 + (size_t)(row % 16) * 4;
    const uint8_t *x = a->x + image * a->x_stride;
    const ptrdiff_t at = image * a->y_stride + row;
    int64_t sum = 0;
    for (size_t i = 0; i < k; i++) {
        sum += x[i] * weight[i / 4 * 64 + i % 4];
    }
    const float scaled = check_int8_scaled(&a->scaling, row, sum);
    if (a->y != NULL) {
        const uint8_t want = row < a->rows ? check_int8_byte((double)scaled) : 0;
        const uint8_t got = check_take_byte(check, a->y + at);
        if (got != want) {
            check_fail(check, "image %d row %d: expected %d, got %d (sum %lld)", image, row, want,
                       got, (long long)sum);
        }
    } else if (row < a->rows) {
        const float got = check_take(check, a->y_float + at);
        if (memcmp(&got, &scaled, sizeof got) != 0) {
            check_fail(check, "image %d row %d: expected %.9g, got %.9g (sum %lld)", image, row,
                       (double)scaled, (double)got, (long long)sum);
        }
    }
}

static void check_case(struct check *check, const struct linear *c)
{
    check_begin(check, "int8 linear %d blocks -> %d from group %d, batch %d, gap %zu, %s, %s",
                c->k_blocks, c->rows, c->begin, c->n, c->gap, c->to_float ? "float32" : "bytes",
                check_numbers_string(c->numbers));
    const int groups = check_ceil_div(c->rows, VGG_INT8_GROUP);
    const size_t k = (size_t)c->k_blocks * VGG_INT8_BLOCK, n = (size_t)c->n;
    const size_t x_stride = k + (size_t)check_range(check, 0, 1) * 64;
    const size_t y_stride = (size_t)check_ceil_div(c->rows, 64) * 64;
    const size_t y_floats = n * y_stride / (c->to_float ? 1 : sizeof(float));
    float *y = check_output(check, y_floats);
    struct vgg_int8_linear_args args = {
        .x = check_int8_input(check, (n - 1) * x_stride + k, c->numbers.bytes),
        .x_stride = (ptrdiff_t)x_stride,
        .k_blocks = c->k_blocks,
        .weight = check_int8_weights(check, (size_t)groups * k * 16, c->gap, c->numbers.weights),
        .y = c->to_float ? NULL : (uint8_t *)y,
        .y_float = c->to_float ? y : NULL,
        .y_stride = (ptrdiff_t)y_stride,
        .rows = c->rows,
        .n = c->n,
    };
    args.scaling =
        check_int8_scaling(check, groups, k, args.weight, (ptrdiff_t)k * 16, c->numbers.scales);
    const int cut = check_range(check, c->begin, groups);
    args.begin = c->begin;
    args.end = cut;
    check->int8->linear(&args);
    args.begin = cut;
    args.end = groups;
    check->int8->linear(&args);
    for (int image = 0; image < c->n; image++) {
        for (int row = c->begin * VGG_INT8_GROUP; row < groups * VGG_INT8_GROUP; row++) {
            compare_row(check, &args, image, row);
        }
    }
    check_untouched(check, y, y_floats);
    check_end(check);
}

void check_int8_linear(struct check *check)
{
    for (int rows = 1; rows <= 33; rows++) {
        check_case(check, &(struct linear){rows, 1 + rows % 3, 1 + rows % 4, .to_float = true,
                                           .gap = (size_t)rows % 64});
        check_case(check, &(struct linear){rows, 1 + rows % 3, 1 + rows % 4, .begin = 0});
    }
    for (int n = 1; n <= 35; n++) {
        check_case(check, &(struct linear){16 * (1 + n % 5), 2, n, .to_float = n % 2 == 0});
    }
    for (int groups = 1; groups <= 19; groups++) {
        check_case(check,
                   &(struct linear){16 * groups - groups % 3, 3, 1, .begin = groups / 4,
                                    .gap = (size_t)(groups * 7 % 64), .to_float = groups % 2 == 0});
    }
    /* An image whose features are mostly 0: all remainders of groups; and more words than can be listed. */
    for (int groups = 1; groups <= 9; groups++) {
        check_case(check, &(struct linear){16 * groups, 5, 1, .begin = groups / 5, .gap = 3,
                                           .numbers = {BYTES_SPARSE, WEIGHTS_ANY, SCALES_FIT}});
    }
    check_case(check, &(struct linear){48, 520, 1, .to_float = true,
                                       .numbers = {BYTES_SPARSE, WEIGHTS_ANY, SCALES_FIT}});
    check_case(check, &(struct linear){100, 3, 150, .begin = 1, .gap = 5});
    for (int bytes = 0; bytes < BYTES_KINDS; bytes++) {
        for (int weights = 0; weights < WEIGHTS_KINDS; weights++) {
            for (int scales = 0; scales < SCALES_KINDS; scales++) {
                const struct check_numbers numbers = {(enum check_bytes)bytes,
                                                      (enum check_weights)weights,
                                                      (enum check_scales)scales};
                check_case(check, &(struct linear){70, 4, 1, .numbers = numbers});
                check_case(check, &(struct linear){70, 4, 1, .to_float = true, .numbers = numbers});
                check_case(check, &(struct linear){70, 4, 6, .numbers = numbers});
                check_case(check, &(struct linear){70, 4, 6, .to_float = true, .numbers = numbers});
            }
        }
        for (int weights = WEIGHTS_MAX; weights <= WEIGHTS_SIGNS; weights++) {
            for (int n = 1; n <= 2; n++) {
                check_case(check,
                           &(struct linear){16, 25088 / 64, n, .to_float = true,
                                            .numbers = {(enum check_bytes)bytes,
                                                        (enum check_weights)weights, SCALES_FIT}});
            }
        }
    }
    check_case(check, &(struct linear){1000, 4096 / 64, 1, .gap = 1, .to_float = true});
    check_case(check, &(struct linear){1000, 4096 / 64, 2, .gap = 62});
}
