/* SPDX-License-Identifier: MIT */
/* The vector vocabulary of the ISA that a template is being compiled for.
 *
 * Each vec_<isa>.h defines the type vf of VF_LANES floats and
 *   vf_zero()  vf_set1(s)                 all lanes 0, or s
 *   vf_load(p)  vf_store(p, a)            VF_LANES floats, any byte alignment
 *   vf_load_partial(p, n)                 the first n lanes, the rest 0; reads no byte beyond them
 *   vf_store_partial(p, a, n)             the first n lanes
 *   vf_load_bf16(p)  vf_load_f16(p)       VF_LANES numbers of 16 bits, widened; any byte alignment
 *   vf_add vf_sub vf_mul vf_div (a, b)    lane by lane
 *   vf_sqrt(a)                            the square root
 *   vf_fma(a, b, c)                       a * b + c, rounded once (scalar: twice)
 *   vf_max(a, b)                          the maximum; NaN when either is NaN
 *   vf_at_least(a, low)                   max(a, low); NaN stays NaN; low is not NaN
 *   vf_sum(a)                             the sum of all lanes: halves are added until one lane is left
 *   vf_prefetch(p)                        prefetches p's line into the second-level cache
 * VF_FUSED, not 0 where vf_fma rounds once,
 * and the tile sizes that suit its registers:
 *   CONV_BLOCKS, CONV_PIXELS              accumulators of the convolution: blocks × pixels
 *   LINEAR_STREAMS                        rows that the fully connected layer reads at once, for one image
 *   LINEAR_ROWS, LINEAR_IMAGES            accumulators of the fully connected layer for a batch: rows × images
 *   COLUMNS_VECTORS, COLUMNS_IMAGES       accumulators of the column-major one: vectors of rows × images, powers of
 *                                         two; at most the vectors of 64 rows, and 8 images
 * A header refuses to compile without its ISA's flags. */
#ifndef VGG_KERNELS_VEC_H
#define VGG_KERNELS_VEC_H

#include "kernels/inline.h"
#include "kernels/kernels.h"

#define vf_prefetch(p) __builtin_prefetch((p), 0, 2)

/* Rows of a fully connected layer that are computed together for a batch. */
enum { LINEAR_SLICE = 24 };

#include VGG_VEC_HEADER

VGG_INLINE vf vf_relu(vf a)
{
    return vf_at_least(a, vf_zero());
}
/* The least result of a layer: 0 with ReLU. */
VGG_INLINE vf vf_least(int relu)
{
    return vf_set1(relu ? 0 : -__builtin_inff());
}

/* A vector of weights as floats, or its first n lanes and zeros. The type is a constant where they are inlined. */
VGG_INLINE size_t vf_weight_bytes(enum vgg_weights_type type)
{
    return type == VGG_WEIGHTS_F32 ? sizeof(float) : sizeof(uint16_t);
}
VGG_INLINE vf vf_load_weights(const void *p, enum vgg_weights_type type)
{
    return type == VGG_WEIGHTS_F32    ? vf_load(p)
           : type == VGG_WEIGHTS_BF16 ? vf_load_bf16(p)
                                      : vf_load_f16(p);
}
VGG_INLINE vf vf_load_weights_partial(const void *p, size_t n, enum vgg_weights_type type)
{
    uint16_t first[VF_LANES] = {0};
    if (type == VGG_WEIGHTS_F32) {
        return vf_load_partial(p, n);
    }
    __builtin_memcpy(first, p, n * sizeof *first);
    return vf_load_weights(first, type);
}

/* The layout of V (kernels.h): float32, unless the ISA's header defines another. */
#ifndef VT_OWN_LAYOUT
enum { VT_BLOCKS = 1, VT_LANES = VF_LANES, VT_TERMS = 1, VT_TILES = 1 };

/* The address of tile t of the VT_BLOCKS blocks from `block` on, of `blocks` in all. */
VGG_INLINE float *vt_at(float *v, ptrdiff_t block_stride, int block, int blocks, int t)
{
    (void)blocks;
    return v + block * block_stride + (ptrdiff_t)t * VF_LANES;
}
/* Stores the channels of VT_BLOCKS blocks at that address. */
VGG_INLINE void vt_store(float *at, const vf channels[VT_BLOCKS])
{
    vf_store(at, channels[0]);
}
#endif

/* CASE(n) for each possible width of a register tile of pixels; widths above CONV_PIXELS do not occur. */
#define VGG_PIXEL_CASES(CASE)                                                                      \
    CASE(1)                                                                                        \
    CASE(2)                                                                                        \
    CASE(3)                                                                                        \
    CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)

#endif
