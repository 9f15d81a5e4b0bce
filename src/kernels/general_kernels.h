/* SPDX-License-Identifier: MIT */
/* The contract of the kernels for layers that VGG itself does not have; layouts and letters are those of kernels.h. */
#ifndef VGG_KERNELS_GENERAL_KERNELS_H
#define VGG_KERNELS_GENERAL_KERNELS_H

#include <stddef.h>

/* Sizes along both axes. */
struct vgg_sides {
    int h, w;
};

/* A convolution of some rows of one image.
 *
 * general_conv computes one group of output channels from `channels` consecutive input channels:
 *     y[oc][oh][ow] = bias[oc] + Σ x[c][s oh + d kh][s ow + d kw] * weight[oc][c][kh][kw]
 * summed over blocks of input channels, kh, kw, channels in the block, in this order.
 *
 * depthwise_conv computes one block, in which each channel has a filter of its own:
 *     y[c][oh][ow] = bias[c] + Σ x[c][s oh + d kh][s ow + d kw] * weight[c][kh][kw] */
struct vgg_general_conv_args {
    /* Block of the first input channel: pixel (0, 0) of the window of output (0, 0), that is inside the padding's
     * upper left corner. */
    const float *x;
    ptrdiff_t x_block_stride, x_row_stride;
    /* Of general_conv: the first input channel's lane in its block, and how many channels there are. */
    int first, channels;
    struct vgg_sides kernel, stride, dilation;

    /* general_conv: [blocks of input channels][kernel.h][kernel.w][channels of the block][conv_blocks][L], where the
     * first and the last block have only those channels that are read; depthwise_conv: [kernel.h][kernel.w][L] */
    const float *weight;
    /* [conv_blocks][L], or [L] */
    const float *bias;

    /* Output pixel (0, 0) of the first block. */
    float *y;
    ptrdiff_t y_block_stride, y_row_stride;
    /* Of general_conv: blocks to store, 1 … conv_blocks. */
    int oc_blocks;
    int oh_begin, oh_end, ow;
    /* Not 0: y = max(y, 0) */
    int relu;
};

/* Maximum or mean over windows, output rows of one block. Pixels outside of the input are skipped. A mean is divided
 * by the number of its pixels; with count_padding also by those of the padding. A window without a pixel has the
 * maximum -infinity and the mean 0. */
struct vgg_general_pool_args {
    /* Pixel (0, 0) of the block. */
    const float *x;
    ptrdiff_t x_row_stride;
    struct vgg_sides in;
    float *y;
    ptrdiff_t y_row_stride;
    struct vgg_sides kernel, stride, dilation;
    /* Padding above and on the left, and below and on the right. */
    struct vgg_sides before, after;
    /* Not 0: the mean, and whether it counts the padding. */
    int average, count_padding;
    int oh_begin, oh_end, ow;
};

/* Functions of one number, as PyTorch defines them. */
enum vgg_function {
    VGG_FUNCTION_LEAKY_RELU, /* x > 0 ? x : slope * x */
    VGG_FUNCTION_ELU,        /* x > 0 ? x : slope * (e^x - 1) */
    VGG_FUNCTION_GELU,       /* x * Φ(x) */
    VGG_FUNCTION_GELU_TANH, /* x / 2 * (1 + tanh a) = x / (1 + e^-2a), a = √(2 / π) * (x + 0.044715 x³) */
    VGG_FUNCTION_SILU, /* x / (1 + e^-x) */
    VGG_FUNCTION_TANH,
    VGG_FUNCTION_SIGMOID,   /* 1 / (1 + e^-x) */
    VGG_FUNCTION_HARDSWISH, /* x * min(max(x + 3, 0), 6) / 6 */
    VGG_FUNCTION_RELU6,     /* min(max(x, 0), 6) */
    VGG_FUNCTIONS,
};

/* y[i] = f(x[i]) for the L channels of one block, rows of w pixels. */
struct vgg_function_args {
    enum vgg_function function;
    const float *x;
    ptrdiff_t x_row_stride;
    float *y;
    ptrdiff_t y_row_stride;
    int h, w;
    /* [L] of leaky_relu and elu. */
    const float *slope;
};

#define VGG_GENERAL_KERNEL_LIST(X)                                                                 \
    X(general_conv, const struct vgg_general_conv_args)                                            \
    X(depthwise_conv, const struct vgg_general_conv_args)                                          \
    X(general_pool, const struct vgg_general_pool_args)                                            \
    X(adaptive_max_pool, const struct vgg_avg_pool_args)                                           \
    X(apply_function, const struct vgg_function_args)

#endif
