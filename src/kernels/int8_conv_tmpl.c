/* SPDX-License-Identifier: MIT */
/* Direct convolution of bytes. A tile of DOT_PIXELS neighbouring pixels × DOT_GROUPS groups of 16 output channels stays
 * in registers for the whole sum. Strides other than 1 are slower.
 *
 * All of the call's rows are computed for DOT_GROUPS groups before the next groups, so that weights stay in a near cache.
 *
 *   i   pixel of the tile     g   group     word   four input channels */
#include "kernels/int8.h"
#include "kernels/dot.h"

/* Adds one pixel of the filter to the sums of pixels × groups. `pixels`, `groups`, `words` (of the pixel) and
 * x_pixel_stride are constants where it is inlined. */
VGG_INLINE void tap(const uint8_t *x, ptrdiff_t x_pixel_stride, const int8_t *weight,
                    ptrdiff_t weight_group_stride, vs sum[DOT_PIXELS][DOT_GROUPS], int pixels,
                    int groups, int words)
{
    /* The net's input has one word. */
    if (words == 1) {
        vw w[DOT_GROUPS];
        VGG_UNROLL
        for (int g = 0; g < groups; g++) {
            w[g] = vw_load_word(weight + g * weight_group_stride);
        }
        VGG_UNROLL
        for (int i = 0; i < pixels; i++) {
            const vx v = vx_load_word(x + i * x_pixel_stride);
            VGG_UNROLL
            for (int g = 0; g < groups; g++) {
                sum[i][g] = vs_dot(sum[i][g], w[g], v, 0);
            }
        }
        return;
    }
    for (int word = 0; word < words; word += VX_WORDS) {
        VGG_UNROLL
        for (int at = 0; at < VX_WORDS; at += VW_WORDS) {
            vw w[DOT_GROUPS];
            VGG_UNROLL
            for (int g = 0; g < groups; g++) {
                w[g] = vw_load(weight + g * weight_group_stride +
                               (ptrdiff_t)(word + at) * DOT_WEIGHTS);
            }
            VGG_UNROLL
            for (int i = 0; i < pixels; i++) {
                const vx v = vx_load(x + i * x_pixel_stride + (ptrdiff_t)word * DOT_WORD);
                VGG_UNROLL
                for (int g = 0; g < groups; g++) {
                    sum[i][g] = vs_dot(sum[i][g], w[g], v, at);
                }
            }
        }
    }
}

/* One tile of pixels × groups, from group `first` on. */
VGG_INLINE void tile(const struct vgg_int8_conv_args *a, const uint8_t *x, uint8_t *y, int first,
                     ptrdiff_t x_pixel_stride, int pixels, int groups, int words)
{
    vs sum[DOT_PIXELS][DOT_GROUPS];
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        VGG_UNROLL
        for (int g = 0; g < groups; g++) {
            sum[i][g] = vs_zero();
        }
    }
    const int8_t *weight = a->weight + first * a->weight_group_stride;
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        for (int kh = 0; kh < a->kernel; kh++) {
            const uint8_t *p = x + ic * a->x_block_stride + kh * a->x_row_stride;
            for (int kw = 0; kw < a->kernel; kw++) {
                tap(p, x_pixel_stride, weight, a->weight_group_stride, sum, pixels, groups, words);
                p += words * DOT_WORD;
                weight += words * DOT_WEIGHTS;
            }
        }
    }
    const ptrdiff_t channel = (ptrdiff_t)first * VGG_INT8_GROUP;
    const int32_t *bias = a->scaling.bias + channel, *weight_sum = a->scaling.weight_sum + channel;
    const float *scale = a->scaling.scale + channel;
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        vf f[4];
        VGG_UNROLL
        for (int g = 0; g < groups; g++) {
            f[g] = vf_mul(vf_from(vs_total(sum[i][g], bias + g * VGG_INT8_GROUP,
                                           weight_sum + g * VGG_INT8_GROUP)),
                          vf_load(scale + g * VGG_INT8_GROUP));
        }
        uint8_t *to = y + i * VGG_INT8_BLOCK + channel;
        if (groups == 4) {
            vf_store_block(to, f);
        } else {
            VGG_UNROLL
            for (int g = 0; g < groups; g++) {
                vf_store_bytes(to + g * VGG_INT8_GROUP, f[g]);
            }
        }
    }
}

/* Any stride, pixel by pixel. */
VGG_INLINE void strided_rows(const struct vgg_int8_conv_args *a, int first, int groups, int words)
{
    const ptrdiff_t stride = a->stride, x_pixel_stride = stride * words * DOT_WORD;
    for (int oh = a->oh_begin; oh < a->oh_end; oh++) {
        const uint8_t *x = a->x + oh * stride * a->x_row_stride;
        uint8_t *y = a->y + oh * a->y_row_stride;
        for (int ow = 0; ow < a->ow; ow++) {
            tile(a, x + ow * x_pixel_stride, y + (ptrdiff_t)ow * VGG_INT8_BLOCK, first, 0, 1,
                 groups, words);
        }
    }
}

#define TILE_CASE(n)                                                                               \
    case n:                                                                                        \
        tile(a, x, y, first, x_pixel_stride, n <= DOT_PIXELS ? n : DOT_PIXELS, groups, words);     \
        break;

/* Splits each row into tiles whose widths differ by at most one pixel. */
VGG_INLINE void rows(const struct vgg_int8_conv_args *a, int first, int groups, int words)
{
    const ptrdiff_t x_pixel_stride = (ptrdiff_t)words * DOT_WORD;
    const int tiles = (a->ow + DOT_PIXELS - 1) / DOT_PIXELS;
    if (a->stride != 1) {
        strided_rows(a, first, groups, words);
        return;
    }
    for (int oh = a->oh_begin; oh < a->oh_end; oh++) {
        for (int t = 0; t < tiles; t++) {
            const int begin = (int)((int64_t)a->ow * t / tiles);
            const int end = (int)((int64_t)a->ow * (t + 1) / tiles);
            const uint8_t *x = a->x + oh * a->x_row_stride + begin * x_pixel_stride;
            uint8_t *y = a->y + oh * a->y_row_stride + (ptrdiff_t)begin * VGG_INT8_BLOCK;
            switch (end - begin) {
                TILE_CASE(1)
                TILE_CASE(2)
                TILE_CASE(3)
                TILE_CASE(4)
                TILE_CASE(5)
                TILE_CASE(6)
            }
        }
    }
}

VGG_INLINE void all_groups(const struct vgg_int8_conv_args *a, int words)
{
    int g = 0;
    for (; g + DOT_GROUPS <= a->groups; g += DOT_GROUPS) {
        rows(a, g, DOT_GROUPS, words);
    }
    for (; g < a->groups; g++) {
        rows(a, g, 1, words);
    }
}

void VGG_INT8_KERNEL(conv)(const struct vgg_int8_conv_args *args)
{
    if (args->ic_block == VGG_INT8_INPUT_BLOCK) {
        all_groups(args, 1);
    } else {
        all_groups(args, DOT_BLOCK_WORDS);
    }
    vgg_int8_clear_rest(args);
}
