/* SPDX-License-Identifier: MIT */
/* vec.h for CPUs with AMX: AVX-512, but Winograd's products run on the tile unit (gemm_amx.c).
 *
 * The unit multiplies bfloat16, the upper half of a float32 with 8 of its 24 significant bits. So each number is split
 * into the exact sum of three bfloat16 terms, each the upper half of what the terms before it leave:
 *     x = x0 + x1 + x2,   |x1| < 2^-7 |x|,   |x2| < 2^-15 |x|
 * (Rounding instead of truncating would halve each bound, but takes more arithmetic than there is time for while the
 * unit multiplies.)
 *
 * A row is one term of 16 columns from each of two blocks of channels: the first block's numbers are the lower halves
 * of its 16 words, the second block's the upper halves. The unit sums the products of both halves of a word, so two
 * blocks need no shuffle. V's layout is
 *     v[f][t / 32][block / 2][term][t % 32][16 words]
 * A row is 64 bytes, the three terms of a tile are 2 KiB apart, and 32 tiles are read sequentially. If the number of
 * blocks is odd, the last pair's second block is zeros. */
/* Tests replace the intrinsics by a model in plain C, see tests/kernels/model. */
#ifdef VGG_MODEL_HEADER
#include VGG_MODEL_HEADER
#else
/* clang before 15 spells them without the second underscore. */
#if (!defined(__AMX_TILE__) && !defined(__AMXTILE__)) ||                                           \
    (!defined(__AMX_BF16__) && !defined(__AMXBF16__))
#error "vec_amx.h needs -mamx-tile -mamx-bf16"
#endif
#include "kernels/vec_avx512.h"
#endif

#define VT_OWN_LAYOUT
enum { VT_BLOCKS = 2, VT_LANES = 24, VT_TERMS = 3, VT_TILES = 32 };
/* Bytes of a row, of a term's 32 rows, of all terms. */
enum { VT_ROW = 64, VT_TERM = VT_TILES * VT_ROW, VT_PAIR = VT_TERMS * VT_TERM };

/* The upper halves of both numbers in one word. */
VGG_INLINE __m512i vt_pack(vf low, vf high)
{
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    /* 0xf8: a | (b & c) */
    return _mm512_ternarylogic_epi32(_mm512_srli_epi32(_mm512_castps_si512(low), 16),
                                     _mm512_castps_si512(high), upper, 0xf8);
}
/* The number without its upper half. */
VGG_INLINE vf vt_rest(vf a)
{
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    return vf_sub(a, _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), upper)));
}
/* Stores a row of each term. */
VGG_INLINE void vt_split(char *row, vf low, vf high)
{
    _mm512_storeu_si512(row, vt_pack(low, high));
    low = vt_rest(low);
    high = vt_rest(high);
    _mm512_storeu_si512(row + VT_TERM, vt_pack(low, high));
    _mm512_storeu_si512(row + 2 * VT_TERM, vt_pack(vt_rest(low), vt_rest(high)));
}

VGG_INLINE float *vt_at(float *v, ptrdiff_t block_stride, int block, int blocks, int t)
{
    (void)block_stride;
    const ptrdiff_t pairs = (blocks + 1) / 2, pair = (t / VT_TILES) * pairs + block / 2;
    return v + (pair * VT_PAIR + (ptrdiff_t)(t % VT_TILES) * VT_ROW) / (ptrdiff_t)sizeof(float);
}
VGG_INLINE void vt_store(float *at, const vf channels[VT_BLOCKS])
{
    vt_split((char *)at, channels[0], channels[1]);
}
