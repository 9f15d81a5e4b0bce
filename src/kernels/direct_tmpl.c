/* SPDX-License-Identifier: MIT */
/* Direct convolution. A tile of CONV_PIXELS neighbouring pixels × CONV_BLOCKS blocks of output channels
 * stays in registers for the whole sum; each step loads CONV_BLOCKS weight vectors and broadcasts one
 * input channel of each pixel. NCHWc input with another stride is for general_conv, which sums in the same order.
 *
 *   c   channel within an input block     i   pixel of the tile     b   output block of the group */
#include "kernels/conv_tile.h"
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* One tile of `pixels` pixels. It is inlined with constants for pixels and x_pixel_stride. */
VGG_INLINE void tile(const struct vgg_conv_args *a, const float *x, float *y, int pixels,
                     ptrdiff_t window_stride, ptrdiff_t x_pixel_stride, ptrdiff_t x_channel_stride)
{
    vf sum[CONV_PIXELS][CONV_BLOCKS];
    tile_begin(sum, pixels, a->bias);
    const float *weight = a->weight;
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        for (int kh = 0; kh < a->kernel; kh++) {
            const float *row = x + ic * a->x_block_stride + kh * a->x_row_stride;
            for (int kw = 0; kw < a->kernel; kw++) {
                const float *p = row + kw * x_pixel_stride;
                for (int c = 0; c < a->ic_block; c++) {
                    tile_add(sum, pixels, p, 0, window_stride, weight);
                    p += x_channel_stride;
                    weight += CONV_BLOCKS * VF_LANES;
                }
            }
        }
    }
    tile_store(sum, pixels, y, a->y_block_stride, a->oc_blocks, a->relu);
}

#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        tile(a, x, y, n <= CONV_PIXELS ? n : CONV_PIXELS, window_stride, x_pixel_stride,           \
             x_channel_stride);                                                                    \
        break;

/* Splits each row into tiles whose widths differ by one pixel at most. */
VGG_INLINE void rows(const struct vgg_conv_args *a, ptrdiff_t stride, ptrdiff_t x_pixel_stride,
                     ptrdiff_t x_channel_stride)
{
    const ptrdiff_t window_stride = stride * x_pixel_stride;
    int tiles = (a->ow + CONV_PIXELS - 1) / CONV_PIXELS;
    for (int oh = a->oh_begin; oh < a->oh_end; oh++) {
        for (int t = 0; t < tiles; t++) {
            int begin = (int)((int64_t)a->ow * t / tiles);
            int end = (int)((int64_t)a->ow * (t + 1) / tiles);
            const float *x = a->x + oh * stride * a->x_row_stride + begin * window_stride;
            float *y = a->y + oh * a->y_row_stride + begin * VF_LANES;
            switch (end - begin) {
                VGG_PIXEL_CASES(TILE_CASE)
            }
        }
    }
}

/* NCHWc input with a stride. */
VGG_INLINE void strided_blocks(const struct vgg_conv_args *a)
{
    VGG_KERNEL(general_conv)
    (&(struct vgg_general_conv_args){
        .x = a->x,
        .x_block_stride = a->x_block_stride,
        .x_row_stride = a->x_row_stride,
        .channels = a->ic_blocks * VF_LANES,
        .kernel = {a->kernel, a->kernel},
        .stride = {a->stride, a->stride},
        .dilation = {1, 1},
        .weight = a->weight,
        .bias = a->bias,
        .y = a->y,
        .y_block_stride = a->y_block_stride,
        .y_row_stride = a->y_row_stride,
        .oc_blocks = a->oc_blocks,
        .oh_begin = a->oh_begin,
        .oh_end = a->oh_end,
        .ow = a->ow,
        .relu = a->relu,
    });
}

void VGG_KERNEL(conv_nchwc)(const struct vgg_conv_args *args)
{
    if (args->stride == 1) {
        rows(args, 1, VF_LANES, 1);
    } else {
        strided_blocks(args);
    }
}

void VGG_KERNEL(conv_nchw)(const struct vgg_conv_args *args)
{
    rows(args, args->stride, 1, args->x_channel_stride);
}
