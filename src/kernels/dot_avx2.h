/* SPDX-License-Identifier: MIT */
/* dot.h for AVX2 without VNNI.
 *
 * The instruction that multiplies bytes, VPMADDUBSW, is not exact: it sums two products in 16 bits, and 2 * 255 * 127
 * does not fit. So bytes are widened to 16 bits, those at even and those at odd positions of a word in a register each,
 * and VPMADDWD sums two of their products in 32 bits, where
 *     |x0 w0 + x2 w2| <= 2 * 255 * 127 < 2^16
 * Weights are widened once for all pixels, pixels once for all channels. (Halving the range of the bytes would make
 * VPMADDUBSW exact, but the rest takes more instructions than this.) */
#include "kernels/dot_ymm.h"

typedef struct {
    __m256i even, odd;
} vx;
typedef struct {
    vi even, odd;
} vw;
enum { VX_WORDS = 1, VW_WORDS = 1 };
/* 8 accumulators, 4 weights, 2 of a pixel, a product: 15 registers. */
enum { DOT_GROUPS = 1, DOT_PIXELS = 4 };
enum { DOT_STREAMS = 4, DOT_ROWS = 1, DOT_IMAGES = 4, DOT_SKIPS = 1 };

#define vx_hide(x) __asm__ volatile("" : "+x"((x).even), "+x"((x).odd))

VGG_INLINE vx vx_load(const uint8_t *p)
{
    const __m256i word = broadcast_word(p);
    return (vx){_mm256_and_si256(word, _mm256_set1_epi16(255)), _mm256_srli_epi16(word, 8)};
}
VGG_INLINE vx vx_load_word(const uint8_t *p)
{
    return vx_load(p);
}
/* The lower bytes, sign-extended. */
VGG_INLINE __m256i lower(__m256i w)
{
    return _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8);
}
VGG_INLINE vw vw_load(const int8_t *p)
{
    const vi w = vi_load(p);
    return (vw){{lower(w.low), lower(w.high)},
                {_mm256_srai_epi16(w.low, 8), _mm256_srai_epi16(w.high, 8)}};
}
VGG_INLINE vw vw_load_word(const int8_t *p)
{
    return vw_load(p);
}
VGG_INLINE __m256i dot8(__m256i sum, __m256i even, __m256i odd, vx x)
{
    return _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(x.even, even)),
                            _mm256_madd_epi16(x.odd, odd));
}
VGG_INLINE vs vs_dot(vs sum, vw w, vx x, int at)
{
    (void)at;
    return (vs){dot8(sum.low, w.even.low, w.odd.low, x),
                dot8(sum.high, w.even.high, w.odd.high, x)};
}
