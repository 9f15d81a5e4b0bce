/* SPDX-License-Identifier: MIT */
/* Direct convolution. A tile of CONV_PIXELS neighbouring pixels × CONV_BLOCKS blocks of output channels stays in
 * registers for the whole sum; each step loads CONV_BLOCKS weight vectors and broadcasts one input channel of each
 * pixel. Strides other than 1 are slower, because no VGG has them.
 *
 *   c   channel within an input block     i   pixel of the tile     b   output block of the group */
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* One tile. `pixels` and x_pixel_stride are constants where it is inlined. */
VGG_INLINE void tile(const struct vgg_conv_args *a, const float *x, float *y, int pixels,
                     ptrdiff_t x_pixel_stride, ptrdiff_t x_channel_stride)
{
    vf sum[CONV_PIXELS][CONV_BLOCKS];
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            sum[i][b] = vf_load(a->bias + b * VF_LANES);
        }
    }
    const float *weight = a->weight;
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        for (int kh = 0; kh < a->kernel; kh++) {
            const float *row = x + ic * a->x_block_stride + kh * a->x_row_stride;
            for (int kw = 0; kw < a->kernel; kw++) {
                const float *p = row + kw * x_pixel_stride;
                for (int c = 0; c < a->ic_block; c++) {
                    vf w[CONV_BLOCKS];
                    VGG_UNROLL
                    for (int b = 0; b < CONV_BLOCKS; b++) {
                        w[b] = vf_load(weight + b * VF_LANES);
                    }
                    VGG_UNROLL
                    for (int i = 0; i < pixels; i++) {
                        vf v = vf_set1(p[i * x_pixel_stride]);
                        VGG_UNROLL
                        for (int b = 0; b < CONV_BLOCKS; b++) {
                            sum[i][b] = vf_fma(v, w[b], sum[i][b]);
                        }
                    }
                    p += x_channel_stride;
                    weight += CONV_BLOCKS * VF_LANES;
                }
            }
        }
    }
    VGG_UNROLL
    for (int b = 0; b < CONV_BLOCKS; b++) {
        if (b < a->oc_blocks) {
            VGG_UNROLL
            for (int i = 0; i < pixels; i++) {
                vf_store(y + b * a->y_block_stride + i * VF_LANES,
                         a->relu ? vf_relu(sum[i][b]) : sum[i][b]);
            }
        }
    }
}

#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        tile(a, x, y, n <= CONV_PIXELS ? n : CONV_PIXELS, x_pixel_stride, x_channel_stride);       \
        break;

/* Splits each row into tiles whose widths differ by at most one pixel. */
VGG_INLINE void rows(const struct vgg_conv_args *a, ptrdiff_t x_pixel_stride,
                     ptrdiff_t x_channel_stride)
{
    int tiles = (a->ow + CONV_PIXELS - 1) / CONV_PIXELS;
    for (int oh = a->oh_begin; oh < a->oh_end; oh++) {
        for (int t = 0; t < tiles; t++) {
            int begin = (int)((int64_t)a->ow * t / tiles);
            int end = (int)((int64_t)a->ow * (t + 1) / tiles);
            const float *x = a->x + oh * a->x_row_stride + begin * x_pixel_stride;
            float *y = a->y + oh * a->y_row_stride + begin * VF_LANES;
            switch (end - begin) {
                VGG_PIXEL_CASES(TILE_CASE)
            }
        }
    }
}

/* Any stride, pixel by pixel. */
VGG_INLINE void strided_rows(const struct vgg_conv_args *a, ptrdiff_t x_pixel_stride,
                             ptrdiff_t x_channel_stride)
{
    const ptrdiff_t stride = a->stride;
    for (int oh = a->oh_begin; oh < a->oh_end; oh++) {
        for (int ow = 0; ow < a->ow; ow++) {
            tile(a, a->x + oh * stride * a->x_row_stride + ow * stride * x_pixel_stride,
                 a->y + oh * a->y_row_stride + (ptrdiff_t)ow * VF_LANES, 1, x_pixel_stride,
                 x_channel_stride);
        }
    }
}

void VGG_KERNEL(conv_nchwc)(const struct vgg_conv_args *args)
{
    if (args->stride == 1) {
        rows(args, VF_LANES, 1);
    } else {
        strided_rows(args, VF_LANES, 1);
    }
}

void VGG_KERNEL(conv_nchw)(const struct vgg_conv_args *args)
{
    if (args->stride == 1) {
        rows(args, 1, args->x_channel_stride);
    } else {
        strided_rows(args, 1, args->x_channel_stride);
    }
}
