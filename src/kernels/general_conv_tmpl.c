/* SPDX-License-Identifier: MIT */
/* Convolutions with any kernel, stride, dilation and range of input channels, and depthwise ones. Tiles of general_conv
 * are those of direct convolution (direct_tmpl.c); in a depthwise one each lane has its own sum, so a tile is some
 * neighbouring pixels that share the filter's vectors.
 *
 *   c   channel within an input block     i   pixel of the tile     b   output block of the group */
#include "kernels/conv_tile.h"
#include "kernels/kernels.h"
#include "kernels/vec.h"

enum { DEPTHWISE_PIXELS = 4 };

/* What one input block adds to a tile: `count` channels from p on. Returns the weights of the next block. */
VGG_INLINE const float *add_block(const struct vgg_general_conv_args *a, const float *p, int count,
                                  const float *weight, int pixels, ptrdiff_t pixel_stride,
                                  vf sum[CONV_PIXELS][CONV_BLOCKS])
{
    for (int kh = 0; kh < a->kernel.h; kh++) {
        const float *row = p + (ptrdiff_t)kh * a->dilation.h * a->x_row_stride;
        for (int kw = 0; kw < a->kernel.w; kw++) {
            const float *x = row + (ptrdiff_t)kw * a->dilation.w * VF_LANES;
            for (int c = 0; c < count; c++) {
                tile_add(sum, pixels, x, c, pixel_stride, weight);
                weight += CONV_BLOCKS * VF_LANES;
            }
        }
    }
    return weight;
}

/* One tile of `pixels` pixels, which is a constant where it is inlined. */
VGG_INLINE void tile(const struct vgg_general_conv_args *a, const float *x, float *y, int pixels,
                     ptrdiff_t pixel_stride)
{
    vf sum[CONV_PIXELS][CONV_BLOCKS];
    tile_begin(sum, pixels, a->bias);
    const float *weight = a->weight;
    int lane = a->first;
    for (int left = a->channels; left > 0;) {
        const int count = left < VF_LANES - lane ? left : VF_LANES - lane;
        weight = add_block(a, x + lane, count, weight, pixels, pixel_stride, sum);
        x += a->x_block_stride;
        left -= count;
        lane = 0;
    }
    tile_store(sum, pixels, y, a->y_block_stride, a->oc_blocks, a->relu);
}

#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        tile(a, x, y, n <= CONV_PIXELS ? n : CONV_PIXELS, pixel_stride);                           \
        break;

/* One row of output, in tiles whose widths differ by one pixel at most. */
VGG_INLINE void tile_row(const struct vgg_general_conv_args *a, const float *x_row, float *y_row)
{
    const ptrdiff_t pixel_stride = (ptrdiff_t)a->stride.w * VF_LANES;
    const int tiles = (a->ow + CONV_PIXELS - 1) / CONV_PIXELS;
    for (int t = 0; t < tiles; t++) {
        const int begin = (int)((int64_t)a->ow * t / tiles);
        const int end = (int)((int64_t)a->ow * (t + 1) / tiles);
        const float *x = x_row + begin * pixel_stride;
        float *y = y_row + (ptrdiff_t)begin * VF_LANES;
        switch (end - begin) {
            VGG_PIXEL_CASES(TILE_CASE)
        }
    }
}

void VGG_KERNEL(general_conv)(const struct vgg_general_conv_args *args)
{
    for (int oh = args->oh_begin; oh < args->oh_end; oh++) {
        const float *x = args->x + (ptrdiff_t)oh * args->stride.h * args->x_row_stride;
        float *y = args->y + oh * args->y_row_stride;
        tile_row(args, x, y);
    }
}

/* One tile of a depthwise convolution; pixels is a constant where it is inlined. */
VGG_INLINE void depthwise_tile(const struct vgg_general_conv_args *a, const float *x, float *y,
                               int pixels)
{
    const ptrdiff_t pixel_stride = (ptrdiff_t)a->stride.w * VF_LANES;
    const float *weight = a->weight;
    vf sum[DEPTHWISE_PIXELS];
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        sum[i] = vf_load(a->bias);
    }
    for (int kh = 0; kh < a->kernel.h; kh++) {
        const float *p = x + (ptrdiff_t)kh * a->dilation.h * a->x_row_stride;
        for (int kw = 0; kw < a->kernel.w; kw++) {
            const vf w = vf_load(weight);
            VGG_UNROLL
            for (int i = 0; i < pixels; i++) {
                sum[i] = vf_fma(vf_load(p + i * pixel_stride), w, sum[i]);
            }
            p += (ptrdiff_t)a->dilation.w * VF_LANES;
            weight += VF_LANES;
        }
    }
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        vf_store(y + i * VF_LANES, a->relu ? vf_relu(sum[i]) : sum[i]);
    }
}

void VGG_KERNEL(depthwise_conv)(const struct vgg_general_conv_args *args)
{
    const ptrdiff_t pixel_stride = (ptrdiff_t)args->stride.w * VF_LANES;
    for (int oh = args->oh_begin; oh < args->oh_end; oh++) {
        const float *x = args->x + (ptrdiff_t)oh * args->stride.h * args->x_row_stride;
        float *y = args->y + oh * args->y_row_stride;
        int ow = 0;
        for (; ow + DEPTHWISE_PIXELS <= args->ow; ow += DEPTHWISE_PIXELS) {
            depthwise_tile(args, x + ow * pixel_stride, y + (ptrdiff_t)ow * VF_LANES,
                           DEPTHWISE_PIXELS);
        }
        for (; ow < args->ow; ow++) {
            depthwise_tile(args, x + ow * pixel_stride, y + (ptrdiff_t)ow * VF_LANES, 1);
        }
    }
}
