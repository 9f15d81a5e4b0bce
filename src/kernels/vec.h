/* SPDX-License-Identifier: MIT */
/* The vector vocabulary of the ISA that a template is being compiled for.
 *
 * Each vec_<isa>.h defines the type vf of VF_LANES floats and
 *   vf_zero()  vf_set1(s)                 all lanes 0, or s
 *   vf_load(p)  vf_store(p, a)            VF_LANES floats, any byte alignment
 *   vf_load_partial(p, n)                 the first n lanes, the rest 0; touches no byte past them
 *   vf_store_partial(p, a, n)             the first n lanes
 *   vf_load_bf16(p)  vf_load_f16(p)       VF_LANES numbers of 16 bits, widened; any byte alignment
 *   vf_add vf_sub vf_mul vf_div (a, b)    lane by lane
 *   vf_sqrt(a)                            the square root
 *   vf_fma(a, b, c)                       a * b + c, rounded once (scalar: twice)
 *   vf_max(a, b)                          the larger; NaN when either is NaN
 *   vf_relu(a)                            max(a, 0); NaN stays NaN
 *   vf_sum(a)                             all lanes: halves are added until one is left
 *   vf_prefetch(p)                        bring p's line into the second-level cache
 * VF_FUSED, which tells whether vf_fma rounds once,
 * and the tile sizes that suit its registers:
 *   CONV_BLOCKS, CONV_PIXELS              accumulators of the convolution: blocks × pixels
 *   LINEAR_STREAMS                        rows of the fully connected layer at once, for one image
 *   LINEAR_ROWS, LINEAR_IMAGES          the same for a batch: accumulators are rows × images
 *   COLUMNS_VECTORS, COLUMNS_IMAGES     accumulators of the one in columns: vectors of rows × images,
 *                                         powers of two; vectors of 64 rows at most, images 8
 * A header refuses to compile without its ISA's flags. */
#ifndef VGG_KERNELS_VEC_H
#define VGG_KERNELS_VEC_H

#include "kernels/kernels.h"

#define vf_prefetch(p) __builtin_prefetch((p), 0, 2)

#define VGG_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define VGG_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VGG_UNROLL _Pragma("GCC unroll 64")
#endif

/* Rows of a fully connected layer that a batch takes through the features together. */
enum { LINEAR_SLICE = 24 };

#include VGG_VEC_HEADER

/* A vector of weights, or the first n of one and zeros, as floats. The type is a constant where they are inlined. */
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

/* How V is kept (kernels.h): in float32, unless the vector's header has its own way. */
#ifndef VT_OWN_LAYOUT
enum { VT_BLOCKS = 1, VT_LANES = VF_LANES, VT_TERMS = 1, VT_TILES = 1 };

/* Where tile t of the VT_BLOCKS blocks from `block` on is; `blocks` there are in all. */
VGG_INLINE float *vt_at(float *v, ptrdiff_t block_stride, int block, int blocks, int t)
{
    (void)blocks;
    return v + block * block_stride + (ptrdiff_t)t * VF_LANES;
}
/* Stores the channels of VT_BLOCKS blocks there. */
VGG_INLINE void vt_store(float *at, const vf channels[VT_BLOCKS])
{
    vf_store(at, channels[0]);
}
#endif

/* CASE(n) for each width a register tile of pixels may have; CONV_PIXELS bounds those that occur. */
#define VGG_PIXEL_CASES(CASE)                                                                      \
    CASE(1)                                                                                        \
    CASE(2)                                                                                        \
    CASE(3)                                                                                        \
    CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)

#endif
