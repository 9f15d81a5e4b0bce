/* SPDX-License-Identifier: MIT */
/* What the checks of the int8 kernels share. Results are exact: a reference in int64 and double precision determines each
 * byte, and each bit of a float32. */
#ifndef VGG_TESTS_KERNELS_CHECK_INT8_H
#define VGG_TESTS_KERNELS_CHECK_INT8_H

#include "check.h"
#include "kernels/int8.h"

/* Kinds of activations, weights and scales. */
enum check_bytes {
    BYTES_ANY,    /* 0 … 255 */
    BYTES_FULL,   /* all 255 */
    BYTES_SPARSE, /* four of five are 0 */
    BYTES_SMALL,  /* 0 … 3 */
    BYTES_NONE,   /* all 0 */
    BYTES_KINDS,
};
enum check_weights {
    WEIGHTS_ANY,   /* -127 … 127 */
    WEIGHTS_MAX,   /* all 127 */
    WEIGHTS_MIN,   /* all -127 */
    WEIGHTS_SIGNS, /* -127 or 127 */
    WEIGHTS_SMALL, /* -1 … 1, and mostly 0 */
    WEIGHTS_KINDS,
};
enum check_scales {
    SCALES_FIT,  /* results spread over all bytes */
    SCALES_HALF, /* 0.5 and 1.5: with small numbers, ties */
    SCALES_WIDE, /* either sign, and any size: overflow, denormal, zero */
    SCALES_KINDS,
};
struct check_numbers {
    enum check_bytes bytes;
    enum check_weights weights;
    enum check_scales scales;
};
const char *check_numbers_string(struct check_numbers numbers);

uint8_t *check_int8_input(struct check *check, size_t bytes, enum check_bytes kind);
/* `count` weights [groups][words][16][4] that end `gap` bytes before an unmapped page. */
int8_t *check_int8_weights(struct check *check, size_t count, size_t gap, enum check_weights kind);
/* Scaling for groups whose sums have `terms` terms and whose weights are `stride` bytes apart. */
struct vgg_int8_scaling check_int8_scaling(struct check *check, int groups, size_t terms,
                                           const int8_t *weight, ptrdiff_t stride,
                                           enum check_scales kind);

/* The result that the sum of a channel must have. */
float check_int8_scaled(const struct vgg_int8_scaling *scaling, int channel, int64_t sum);
uint8_t check_int8_byte(double exact);

/* The checks, by file. */
void check_int8_conv(struct check *check);
void check_int8_linear(struct check *check);
void check_int8_pixel(struct check *check);

/* Times the same calls on VGG-16's layers. */
void bench_int8(const struct vgg_int8_kernels *kernels);

#endif
