/* SPDX-License-Identifier: MIT */
/* A tile of a convolution: `pixels` neighbouring pixels × CONV_BLOCKS blocks of output channels, of which the sums stay
 * in registers. `pixels` is a constant where the functions are inlined.
 *
 *   i   pixel of the tile     b   output block of the group */
#ifndef VGG_KERNELS_CONV_TILE_H
#define VGG_KERNELS_CONV_TILE_H

#include "kernels/kernels.h"
#include "kernels/vec.h"

VGG_INLINE void tile_begin(vf sum[CONV_PIXELS][CONV_BLOCKS], int pixels, const float *bias)
{
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            sum[i][b] = vf_load(bias + b * VF_LANES);
        }
    }
}

/* Adds one input channel, whose elements lie x_stride apart for neighbouring pixels, times its weights. */
VGG_INLINE void tile_add(vf sum[CONV_PIXELS][CONV_BLOCKS], int pixels, const float *x, int c,
                         ptrdiff_t x_stride, const float *weight)
{
    vf w[CONV_BLOCKS];
    VGG_UNROLL
    for (int b = 0; b < CONV_BLOCKS; b++) {
        w[b] = vf_load(weight + b * VF_LANES);
    }
    VGG_UNROLL
    for (int i = 0; i < pixels; i++) {
        const vf v = vf_set1(x[i * x_stride + c]);
        VGG_UNROLL
        for (int b = 0; b < CONV_BLOCKS; b++) {
            sum[i][b] = vf_fma(v, w[b], sum[i][b]);
        }
    }
}

VGG_INLINE void tile_store(vf sum[CONV_PIXELS][CONV_BLOCKS], int pixels, float *y,
                           ptrdiff_t y_block_stride, int oc_blocks, int relu)
{
    const vf least = vf_least(relu);
    VGG_UNROLL
    for (int b = 0; b < CONV_BLOCKS; b++) {
        if (b < oc_blocks) {
            VGG_UNROLL
            for (int i = 0; i < pixels; i++) {
                vf_store(y + b * y_block_stride + i * VF_LANES, vf_at_least(sum[i][b], least));
            }
        }
    }
}

#endif
