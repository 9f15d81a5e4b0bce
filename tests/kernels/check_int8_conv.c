/* SPDX-License-Identifier: MIT */
/* The convolution of bytes: kernels and strides of all sizes, every width of a tile and of several, every number of groups,
 * gaps between rows and blocks, rows in several calls, numbers that overflow types narrower than int32. */
#include "check_int8.h"

struct conv {
    int ic_blocks, ic_block, kernel, stride, groups, oh, ow;
    struct check_numbers numbers;
};

/* Between rows, between blocks and around y are bytes that must not be used. */
struct layout {
    ptrdiff_t x_row, x_block, y_row;
    size_t x_bytes, y_bytes;
};

static struct layout lay_out(struct check *check, const struct conv *c)
{
    struct layout l;
    const ptrdiff_t pixel = c->ic_block;
    const int ih = (c->oh - 1) * c->stride + c->kernel, iw = (c->ow - 1) * c->stride + c->kernel;
    l.x_row = (iw + check_range(check, 0, 2)) * pixel;
    l.x_block = ih * l.x_row + check_range(check, 0, 2) * pixel;
    l.y_row = (c->ow + check_range(check, 0, 2)) * (ptrdiff_t)VGG_INT8_BLOCK;
    /* The input ends with the last pixel that a window reaches. */
    l.x_bytes =
        (size_t)((c->ic_blocks - 1) * l.x_block + (ih - 1) * l.x_row + iw * (ptrdiff_t)pixel);
    l.y_bytes = (size_t)(c->oh * l.y_row);
    return l;
}

static int64_t reference(const struct vgg_int8_conv_args *a, int oc, int oh, int ow)
{
    const int8_t *weight = a->weight + oc / 16 * a->weight_group_stride + oc % 16 * 4;
    int64_t sum = 0;
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        for (int kh = 0; kh < a->kernel; kh++) {
            for (int kw = 0; kw < a->kernel; kw++) {
                const uint8_t *x = a->x + ic * a->x_block_stride +
                                   (ptrdiff_t)(oh * a->stride + kh) * a->x_row_stride +
                                   (ptrdiff_t)(ow * a->stride + kw) * a->ic_block;
                for (int c = 0; c < a->ic_block; c++) {
                    sum += x[c] * weight[c / 4 * 64 + c % 4];
                }
                weight += a->ic_block * 16;
            }
        }
    }
    return sum;
}

static void compare(struct check *check, const struct vgg_int8_conv_args *a, int oh_end)
{
    for (int oh = 0; oh < oh_end; oh++) {
        for (int ow = 0; ow < a->ow; ow++) {
            for (int oc = 0; oc < VGG_INT8_BLOCK; oc++) {
                const bool there = oc < a->groups * VGG_INT8_GROUP;
                const int64_t sum = there ? reference(a, oc, oh, ow) : 0;
                const uint8_t want =
                    there ? check_int8_byte((double)check_int8_scaled(&a->scaling, oc, sum)) : 0;
                const uint8_t got = check_take_byte(check, a->y + oh * a->y_row_stride +
                                                               (ptrdiff_t)ow * VGG_INT8_BLOCK + oc);
                if (got != want) {
                    check_fail(check, "channel %d at %d, %d: expected %d, got %d (sum %lld)", oc,
                               oh, ow, want, got, (long long)sum);
                }
            }
        }
    }
}

static void check_case(struct check *check, const struct conv *c)
{
    check_begin(check, "int8 conv %d x %d channels, kernel %d stride %d, %d groups, %dx%d, %s",
                c->ic_blocks, c->ic_block, c->kernel, c->stride, c->groups, c->oh, c->ow,
                check_numbers_string(c->numbers));
    const struct layout l = lay_out(check, c);
    const size_t terms = (size_t)(c->ic_blocks * c->ic_block * c->kernel * c->kernel);
    const ptrdiff_t group = (ptrdiff_t)terms * VGG_INT8_GROUP + check_range(check, 0, 1) * 64;
    const size_t weights = (size_t)(c->groups - 1) * (size_t)group + terms * VGG_INT8_GROUP;
    struct vgg_int8_conv_args args = {
        .x = check_int8_input(check, l.x_bytes, c->numbers.bytes),
        .x_block_stride = l.x_block,
        .x_row_stride = l.x_row,
        .ic_blocks = c->ic_blocks,
        .ic_block = c->ic_block,
        .kernel = c->kernel,
        .stride = c->stride,
        .weight = check_int8_weights(check, weights, 0, c->numbers.weights),
        .weight_group_stride = group,
        .y = (uint8_t *)check_output(check, l.y_bytes / sizeof(float)),
        .y_row_stride = l.y_row,
        .groups = c->groups,
        .ow = c->ow,
    };
    args.scaling =
        check_int8_scaling(check, c->groups, terms, args.weight, group, c->numbers.scales);
    const int cut = check_range(check, 0, c->oh);
    args.oh_end = cut;
    check->int8->conv(&args);
    args.oh_begin = cut;
    args.oh_end = c->oh;
    check->int8->conv(&args);
    compare(check, &args, c->oh);
    check_untouched(check, (const float *)(const void *)args.y, l.y_bytes / sizeof(float));
    check_end(check);
}

static const struct check_numbers any = {BYTES_ANY, WEIGHTS_ANY, SCALES_FIT};

void check_int8_conv(struct check *check)
{
    /* Every width of up to three registers of pixels. */
    for (int ow = 1; ow <= 50; ow++) {
        check_case(check, &(struct conv){1 + ow % 2, 64, 3, 1, 1 + ow % 4, 3, ow, any});
        check_case(check, &(struct conv){1, 4, 3, 1, 1 + ow % 4, 2, ow, any});
    }
    for (int kernel = 1; kernel <= 7; kernel += 2) {
        for (int stride = 1; stride <= 3; stride++) {
            for (int groups = 1; groups <= 4; groups++) {
                check_case(check,
                           &(struct conv){2, 64, kernel, stride, groups, 3, 7 + groups, any});
                check_case(check,
                           &(struct conv){1, 4, kernel, stride, groups, 3, 20 - groups, any});
            }
        }
    }
    /* The rows of VGG's last layers, and a few more. */
    for (int side = 12; side <= 16; side++) {
        check_case(check, &(struct conv){3, 64, 3, 1, 4, side, side, any});
    }
    check_case(check, &(struct conv){8, 64, 3, 1, 4, 5, 28, any});
    check_case(check, &(struct conv){1, 64, 3, 1, 4, 2, 112, any});
    check_case(check, &(struct conv){1, 4, 3, 1, 4, 2, 224, any});
    for (int bytes = 0; bytes < BYTES_KINDS; bytes++) {
        for (int weights = 0; weights < WEIGHTS_KINDS; weights++) {
            for (int scales = 0; scales < SCALES_KINDS; scales++) {
                const struct check_numbers numbers = {(enum check_bytes)bytes,
                                                      (enum check_weights)weights,
                                                      (enum check_scales)scales};
                check_case(check, &(struct conv){2, 64, 3, 1, 4, 2, 17, numbers});
                check_case(check, &(struct conv){1, 4, 3, 1, 4, 2, 17, numbers});
            }
        }
        /* The longest sums: 8 * 64 * 49 * 127 * 255 is three quarters of 2^30. */
        check_case(check,
                   &(struct conv){
                       8, 64, 7, 1, 1, 1, 3, {(enum check_bytes)bytes, WEIGHTS_SIGNS, SCALES_FIT}});
        check_case(check,
                   &(struct conv){
                       8, 64, 7, 1, 1, 1, 3, {(enum check_bytes)bytes, WEIGHTS_MIN, SCALES_FIT}});
        check_case(check,
                   &(struct conv){
                       8, 64, 7, 1, 1, 1, 3, {(enum check_bytes)bytes, WEIGHTS_MAX, SCALES_FIT}});
    }
    for (int i = 0; i < 60; i++) {
        check_seed(check, "random int8 conv %d", i);
        const bool input = check_range(check, 0, 3) == 0;
        check_case(check, &(struct conv){.ic_blocks = input ? 1 : check_range(check, 1, 4),
                                         .ic_block = input ? 4 : 64,
                                         .kernel = 1 + 2 * check_range(check, 0, 2),
                                         .stride = check_range(check, 1, 6) > 4 ? 2 : 1,
                                         .groups = check_range(check, 1, 4),
                                         .oh = check_range(check, 1, 9),
                                         .ow = check_range(check, 1, 40),
                                         .numbers = {(enum check_bytes)check_range(check, 0, 2),
                                                     WEIGHTS_ANY, SCALES_FIT}});
    }
}
