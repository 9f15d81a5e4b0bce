/* SPDX-License-Identifier: MIT */
/* The contract of the int8 kernels. They compute with integers, and with single float32 operations in a fixed
 * order, so that every ISA gives the same bits.
 *
 * Activations are bytes: q stands for the number q * scale. After ReLU nothing is negative, so bytes are
 * unsigned, 0 is zero, and a frame of zeros is one of bytes 0. They are blocked like float32 ones (kernels.h),
 *
 *     x[n][c / B][h + 2 pad][w + 2 pad][B]        strides in bytes
 *
 * with B = 64 channels on every ISA, but B = 4 where the net's input has no more. Channels past the last
 * real one are 0. Images, blocks and rows start at multiples of 64 bytes where B is 64, of 4 where it is 4.
 * The net's input, which has negative numbers, stands for low[c] + q * step[c] instead; what its frame must
 * hold is the q nearest to zero. Both terms go into the first layer's weights and bias.
 *
 * Weights are -127 … 127, never -128, in one order for all ISAs:
 *
 *     weight[oc / 16][ic / B][kh][kw][B / 4][16 oc][4 ic]
 *
 * so that 64 bytes are the four channels that one 32-bit lane of a sum takes at a time, for 16 output channels:
 * a 512-bit register, two or four of shorter ones, a row of a matrix register.
 *
 * Sums are exact in int32: whoever makes the arguments sees to it that
 *     Σ|weight| * 255 <= 2^30 for each output channel,  |bias| <= 2^30
 * which makes a sum and its bias less than 2^31, for 255 does not divide 2^30.
 *
 * Each sum a becomes
 *     byte:     q = clamp(round((float)(a + bias[oc]) * scale[oc]), 0, 255)      which is ReLU, too
 *     float32:  y = (float)(a + bias[oc]) * scale[oc]
 * where the conversion to float32 and the product round to nearest, ties to even, as `round` does. The scale
 * may have either sign and any size, but is finite.
 *
 * Kernels neither allocate nor fail. */
#ifndef VGG_KERNELS_INT8_H
#define VGG_KERNELS_INT8_H

#include <stddef.h>
#include <stdint.h>

enum {
    VGG_INT8_BLOCK = 64,      /* B */
    VGG_INT8_INPUT_BLOCK = 4, /* B of the net's input */
    VGG_INT8_GROUP = 16,      /* output channels that weights are packed for together */
};

/* What turns sums into results; all [oc] from the first output channel computed, of whole groups. */
struct vgg_int8_scaling {
    const int32_t *bias;
    const float *scale;
    /* Σ weight[oc], for ISAs that multiply signed bytes only: Σ w q = Σ w (q - 128) + 128 Σ w. */
    const int32_t *weight_sum;
};

/* Direct convolution of some rows of one image for up to one block of 64 output channels:
 *     a[oc][oh][ow] = Σ x[ic][s oh + kh][s ow + kw] * weight[oc][ic][kh][kw] */
struct vgg_int8_conv_args {
    const uint8_t *x; /* input pixel (oh = 0, ow = 0, kh = kw = 0) of block 0 */
    ptrdiff_t x_block_stride, x_row_stride;
    int ic_blocks;
    int ic_block;         /* B: 64 or 4 */
    int kernel;           /* side */
    int stride;           /* pixels from one window to the next */
    const int8_t *weight; /* of the first group */
    ptrdiff_t weight_group_stride;
    struct vgg_int8_scaling scaling;
    uint8_t *y; /* output pixel (0, 0) of a block */
    ptrdiff_t y_row_stride;
    int groups; /* of output channels, 1 … 4; bytes of the block's others become 0 */
    int oh_begin, oh_end, ow;
};

/* The bytes of the groups that there are not; the last thing that every conv does. */
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

/* Fully connected rows of the groups begin … end-1 for n images: a[n][row] = Σ x[n][k] * weight[row][k].
 * Features are k = 0 … k_blocks * 64 - 1; those past the last real one are 0. */
struct vgg_int8_linear_args {
    const uint8_t *x; /* [n][x_stride], each at a multiple of 64 bytes */
    ptrdiff_t x_stride;
    int k_blocks;
    const int8_t *weight; /* [group][k_blocks][16][16][4] of all groups, any byte alignment */
    struct vgg_int8_scaling scaling; /* of all groups */
    uint8_t *y;                      /* [n][y_stride] bytes; NULL: float32 */
    float *y_float;                  /* [n][y_stride] */
    ptrdiff_t y_stride;              /* elements */
    int begin, end;
    int rows; /* real ones of all groups: no y past them is written in float32; bytes past them become 0 */
    int n;
};

/* Rows of the net's input, float32 in planes, into pixels of four bytes:
 *     q[c] = clamp(round((x[c] - low[c]) * inverse[c]), 0, 255)
 * with a difference and a product that round one after the other; NaN becomes 0, and so do bytes of channels
 * that there are not. */
struct vgg_int8_quantize_args {
    const float *x; /* [channels][x_channel_stride], row 0 */
    ptrdiff_t x_channel_stride, x_row_stride;
    int channels;               /* 1 … 4 */
    const float *low, *inverse; /* [channels]; 1 / step */
    uint8_t *y;                 /* pixel (0, 0) */
    ptrdiff_t y_row_stride;
    int h_begin, h_end, w;
};

/* Max-pool, output rows of one block of 64 channels: windows of kernel × kernel pixels, stride apart. */
struct vgg_int8_max_pool_args {
    const uint8_t *x; /* pixel (0, 0) of the block */
    ptrdiff_t x_row_stride;
    uint8_t *y;
    ptrdiff_t y_row_stride;
    int kernel, stride;
    int oh_begin, oh_end, ow;
};

/* Measures the arithmetic roof of one core: rounds of independent products of bytes. */
struct vgg_int8_peak_args {
    int64_t iterations;
    double operations; /* receives those done, two a multiply-add */
    int32_t result;    /* receives a sum, so that the work is not removed */
};

/* The kernels, each with its arguments: those that multiply, and all others. */
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

/* Everything the plan needs of one ISA. Packed weights and activations fit every table. */
struct vgg_int8_kernels {
    const char *isa; /* what multiplies: "avx512vnni", "amx", … */
    int pixels; /* the output rows of a call are best so many that they have this many or more */
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
