/* SPDX-License-Identifier: MIT */
/* dot.h for AVX-VNNI: the four products of a word are one instruction. */
#if !defined(__AVXVNNI__)
#error "dot_avxvnni.h needs -mavxvnni"
#endif
#include "kernels/dot_ymm.h"

typedef __m256i vx;
typedef vi vw;
enum { VX_WORDS = 1, VW_WORDS = 1 };
/* 12 accumulators, 2 weights, 1 word of a pixel: 15 registers. */
enum { DOT_GROUPS = 1, DOT_PIXELS = 6 };
enum { DOT_STREAMS = 4, DOT_ROWS = 1, DOT_IMAGES = 6, DOT_SKIPS = 1 };

#define vx_hide(x) __asm__ volatile("" : "+x"(x))

VGG_INLINE vx vx_load(const uint8_t *p)
{
    return broadcast_word(p);
}
VGG_INLINE vx vx_load_word(const uint8_t *p)
{
    return vx_load(p);
}
VGG_INLINE vw vw_load(const int8_t *p)
{
    return vi_load(p);
}
VGG_INLINE vw vw_load_word(const int8_t *p)
{
    return vw_load(p);
}
VGG_INLINE vs vs_dot(vs sum, vw w, vx x, int at)
{
    (void)at;
    return (vs){_mm256_dpbusd_avx_epi32(sum.low, x, w.low),
                _mm256_dpbusd_avx_epi32(sum.high, x, w.high)};
}
