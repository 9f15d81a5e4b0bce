/* SPDX-License-Identifier: MIT */
/* dot.h for AArch64 with SDOT: four products of signed bytes in each lane of 32 bits. */
#if !defined(__ARM_FEATURE_DOTPROD)
#error "dot_neondot.h needs -march=armv8.2-a+dotprod"
#endif
#include "kernels/dot_asimd.h"

typedef vi vs;
typedef int8x16_t vx;
typedef int8x16x4_t vw;
/* A register holds four words of a pixel, of which SDOT takes any one for all lanes. */
enum { VX_WORDS = 4, VW_WORDS = 1 };
/* 20 accumulators, 4 weights, 5 of pixels: 29 registers. */
enum { DOT_GROUPS = 1, DOT_PIXELS = 5 };
enum { DOT_STREAMS = 4, DOT_ROWS = 1, DOT_IMAGES = 5, DOT_SKIPS = 0 };

#define vx_hide(x) __asm__ volatile("" : "+w"(x))

VGG_INLINE vs vs_zero(void)
{
    const int32x4_t zero = vdupq_n_s32(0);
    return (vs){{zero, zero, zero, zero}};
}
VGG_INLINE vx vx_load(const uint8_t *p)
{
    /* q - 128 */
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(128)));
}
/* The other words are never used. */
VGG_INLINE vx vx_load_word(const uint8_t *p)
{
    uint32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(word)), vdupq_n_u8(128)));
}
VGG_INLINE vw vw_load(const int8_t *p)
{
    return vld1q_s8_x4(p);
}
VGG_INLINE vw vw_load_word(const int8_t *p)
{
    return vw_load(p);
}
/* The word's number is an immediate of the instruction. */
#define DOT_CASE(n)                                                                                \
    case n:                                                                                        \
        VGG_UNROLL                                                                                 \
        for (int i = 0; i < 4; i++) {                                                              \
            sum.val[i] = vdotq_laneq_s32(sum.val[i], w.val[i], x, n);                              \
        }                                                                                          \
        break;
VGG_INLINE vs vs_dot(vs sum, vw w, vx x, int at)
{
    switch (at) {
        DOT_CASE(0)
        DOT_CASE(1)
        DOT_CASE(2)
        DOT_CASE(3)
    }
    return sum;
}
VGG_INLINE vi vs_total(vs sum, const int32_t *bias, const int32_t *weight_sum)
{
    return total_of(sum, bias, weight_sum);
}
