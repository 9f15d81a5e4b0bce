/* SPDX-License-Identifier: MIT */
/* The contract of the int8 kernels. They compute with integers, and with single float32 operations in a fixed order, so
 * that every ISA gives the same bits.
 *
 * Activations are bytes: q stands for the number q * scale. After ReLU nothing is negative, so bytes are unsigned and 0
 * is zero, also in the padding. They are NCHWc like float32 ones (kernels.h),
 *
 *     x[n][c / B][h + 2 pad][w + 2 pad][B]        strides in bytes
 *
 * with B = 64 channels on every ISA, but B = 4 for the net's input. The last block's channels beyond the real ones are
 * 0. Images, blocks and rows start at multiples of 64 bytes where B is 64, of 4 where it is 4. The net's input has
 * negative numbers: there q stands for low[c] + q * step[c], and the padding must hold the q nearest to zero. Both
 * numbers are folded into the first layer's weights and bias.
 *
 * Weights are -127 … 127, never -128, in the same order on all ISAs:
 *
 *     weight[oc / 16][ic / B][kh][kw][B / 4][16 oc][4 ic]
 *
 * For 16 output channels, 64 bytes hold the four input channels that a 32-bit lane of a sum takes at a time: they are a
 * 512-bit register, two or four shorter ones, or a row of a tile register.
 *
 * Sums are exact in int32: the caller makes sure that
 *     Σ|weight| * 255 <= 2^30 for each output channel,  |bias| <= 2^30
 * so that a sum and its bias are less than 2^31, because 255 does not divide 2^30.
 *
 * Each sum a becomes
 *     byte:     q = clamp(round((float)(a + bias[oc]) * scale[oc]), 0, 255)      which is ReLU, too
 *     float32:  y = (float)(a + bias[oc]) * scale[oc]
 * The conversion to float32, the product and `round` round to nearest, ties to even. The scale is finite; it may have
 * either sign and any size.
 *
 * Kernels neither allocate nor fail. */
#ifndef VGG_KERNELS_INT8_H
#define VGG_KERNELS_INT8_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* B */
    VGG_INT8_BLOCK = 64,
    /* B of the net's input */
    VGG_INT8_INPUT_BLOCK = 4,
    /* Output channels whose weights lie side by side. */
    VGG_INT8_GROUP = 16,
};

/* What turns sums into results; each array [oc] begins with the first output channel computed and has whole groups. */
struct vgg_int8_scaling {
    const int32_t *bias;
    const float *scale;
    /* Σ weight[oc], for ISAs that multiply signed bytes only: Σ w q = Σ w (q - 128) + 128 Σ w. */
    const int32_t *weight_sum;
};

/* Direct convolution of some rows of one image for up to one block of 64 output channels; s is the stride:
 *     a[oc][oh][ow] = Σ x[ic][s oh + kh][s ow + kw] * weight[oc][ic][kh][kw] */
struct vgg_int8_conv_args {
    /* The input pixel of oh = ow = kh = kw = 0 in block 0. */
    const uint8_t *x;
    ptrdiff_t x_block_stride, x_row_stride;
    /* Blocks, and channels of a block: B. */
    int ic_blocks, ic_block;
    /* The side of a filter. */
    int kernel;
    int stride;
    /* Of the first group. */
    const int8_t *weight;
    ptrdiff_t weight_group_stride;
    struct vgg_int8_scaling scaling;
    /* Output pixel (0, 0) of the block. */
    uint8_t *y;
    ptrdiff_t y_row_stride;
    /* Groups of output channels, 1 … 4; the block's other bytes become 0. */
    int groups;
    int oh_begin, oh_end, ow;
};

/* Clears the bytes of the block's missing groups; the last thing that every conv does. */
static inline void vgg_int8_clear_rest(const struct vgg_int8_conv_args *a)
{
    const int begin = a->groups * VGG_INT8_GROUP;
    for (int oh = a->oh_begin; oh < a->oh_end && begin < VGG_INT8_BLOCK; oh++) {
        uint8_t *y = a->y + oh * a->y_row_stride;
        for (int ow = 0; ow < a->ow; ow++, y += VGG_INT8_BLOCK) {
            for (int c = begin; c < VGG_INT8_BLOCK; c++) {
                y[c] = 0;
            }
        }
    }
}

/* Fully connected rows of groups begin … end-1 for n images: a[n][row] = Σ x[n][k] * weight[row][k].
 * Features are k = 0 … k_blocks * 64 - 1; those beyond the real ones are 0. */
struct vgg_int8_linear_args {
    /* [n][x_stride], each at a multiple of 64 bytes */
    const uint8_t *x;
    ptrdiff_t x_stride;
    int k_blocks;
    /* [group][k_blocks][16][16][4] of all groups, any byte alignment */
    const int8_t *weight;
    /* Of all groups. */
    struct vgg_int8_scaling scaling;
    /* [n][y_stride] bytes; or NULL, and y_float [n][y_stride] receives float32 */
    uint8_t *y;
    float *y_float;
    /* In elements. */
    ptrdiff_t y_stride;
    int begin, end;
    /* Real rows of all groups: beyond them no float32 is written, and bytes become 0. */
    int rows;
    int n;
};

/* Turns rows of the net's input, float32 NCHW, into pixels of four bytes:
 *     q[c] = clamp(round((x[c] - low[c]) * inverse[c]), 0, 255)
 * The difference and the product round one after the other. NaN becomes 0, and so do the bytes of missing channels. */
struct vgg_int8_quantize_args {
    /* [channels][x_channel_stride], row 0 */
    const float *x;
    ptrdiff_t x_channel_stride, x_row_stride;
    /* 1 … 4 */
    int channels;
    /* [channels]; inverse is 1 / step */
    const float *low, *inverse;
    /* Pixel (0, 0). */
    uint8_t *y;
    ptrdiff_t y_row_stride;
    int h_begin, h_end, w;
};

/* Max-pool, output rows of one block of 64 channels: windows of kernel × kernel pixels, stride apart. */
struct vgg_int8_max_pool_args {
    /* Pixel (0, 0) of the block. */
    const uint8_t *x;
    ptrdiff_t x_row_stride;
    uint8_t *y;
    ptrdiff_t y_row_stride;
    int kernel, stride;
    int oh_begin, oh_end, ow;
};

/* Measures the arithmetic peak of one core with rounds of independent products of bytes. */
struct vgg_int8_peak_args {
    int64_t iterations;
    /* Receives the number of operations; a multiply-add is two. */
    double operations;
    /* Receives a sum, so that the compiler cannot remove the work. */
    int32_t result;
};

/* X(kernel, arguments): the kernels that multiply, and all others. */
#define VGG_INT8_PRODUCT_KERNEL_LIST(X)                                                            \
    X(conv, const struct vgg_int8_conv_args)                                                       \
    X(linear, const struct vgg_int8_linear_args)                                                   \
    X(peak, struct vgg_int8_peak_args)
#define VGG_INT8_PIXEL_KERNEL_LIST(X)                                                              \
    X(quantize, const struct vgg_int8_quantize_args)                                               \
    X(max_pool, const struct vgg_int8_max_pool_args)
#define VGG_INT8_KERNEL_LIST(X)                                                                    \
    VGG_INT8_PRODUCT_KERNEL_LIST(X)                                                                \
    VGG_INT8_PIXEL_KERNEL_LIST(X)

/* The kernels of one ISA. All tables read the same weights and activations. */
struct vgg_int8_kernels {
    /* The instructions that multiply: "avx512vnni", "amx", … */
    const char *isa;
    /* A call of conv should compute rows that have at least this many pixels. */
    int pixels;
#define X(op, args_type) void (*op)(args_type * args);
    VGG_INT8_KERNEL_LIST(X)
#undef X
};

extern const struct vgg_int8_kernels vgg_int8_kernels_scalar;
extern const struct vgg_int8_kernels vgg_int8_kernels_avx2;
extern const struct vgg_int8_kernels vgg_int8_kernels_avxvnni;
extern const struct vgg_int8_kernels vgg_int8_kernels_avx512vnni;
extern const struct vgg_int8_kernels vgg_int8_kernels_amx;
extern const struct vgg_int8_kernels vgg_int8_kernels_neon;
extern const struct vgg_int8_kernels vgg_int8_kernels_neondot;

/* In a template, VGG_INT8_KERNEL(conv) is vgg_conv_int8_avx2 and so on. */
#define VGG_INT8_KERNEL_NAME_(op, isa) vgg_##op##_int8_##isa
#define VGG_INT8_KERNEL_NAME(op, isa) VGG_INT8_KERNEL_NAME_(op, isa)
#define VGG_INT8_KERNEL(op) VGG_INT8_KERNEL_NAME(op, VGG_ISA)
#ifdef VGG_ISA
#define X(op, args_type) void VGG_INT8_KERNEL(op)(args_type * args);
VGG_INT8_KERNEL_LIST(X)
#undef X
#endif

#endif
