/* SPDX-License-Identifier: MIT */
/* dot.h for AArch64 without SDOT.
 *
 * SMULL and SMLAL multiply eight signed bytes into 16 bits, which can hold the sum of two products,
 *     |(q0 - 128) w0 + (q1 - 128) w1| <= 2 * 128 * 127 < 2^15
 * but not of three. SADALP then adds them pairwise to 32-bit sums. So two words of weights are taken together, and each
 * channel has two lanes until the end. */
#include "kernels/dot_asimd.h"

/* Each vector has two lanes for each of two channels. */
typedef struct {
    int32x4_t v[8];
} vs;
/* Each of the two words four times. */
typedef struct {
    int8x16_t first, second;
} vx;
typedef struct {
    int8x16_t first[4], second[4];
} vw;
enum { VX_WORDS = 2, VW_WORDS = 2 };
/* 16 accumulators, 8 weights, 4 of pixels, a product: 29 registers. */
enum { DOT_GROUPS = 1, DOT_PIXELS = 2 };
enum { DOT_STREAMS = 2, DOT_ROWS = 1, DOT_IMAGES = 2, DOT_SKIPS = 0 };

#define vx_hide(x) __asm__ volatile("" : "+w"((x).first), "+w"((x).second))

VGG_INLINE vs vs_zero(void)
{
    vs sum;
    VGG_UNROLL
    for (int i = 0; i < 8; i++) {
        sum.v[i] = vdupq_n_s32(0);
    }
    return sum;
}
/* q - 128, four times. */
VGG_INLINE int8x16_t load_word(const uint8_t *p)
{
    uint32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(vdupq_n_u32(word)), vdupq_n_u8(128)));
}
VGG_INLINE vx vx_load(const uint8_t *p)
{
    return (vx){load_word(p), load_word(p + 4)};
}
VGG_INLINE vx vx_load_word(const uint8_t *p)
{
    return (vx){load_word(p), vdupq_n_s8(0)};
}
VGG_INLINE vw vw_load(const int8_t *p)
{
    vw w;
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        w.first[i] = vld1q_s8(p + 16 * i);
        w.second[i] = vld1q_s8(p + 64 + 16 * i);
    }
    return w;
}
VGG_INLINE vw vw_load_word(const int8_t *p)
{
    vw w;
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        w.first[i] = vld1q_s8(p + 16 * i);
        w.second[i] = vdupq_n_s8(0);
    }
    return w;
}
VGG_INLINE vs vs_dot(vs sum, vw w, vx x, int at)
{
    (void)at;
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        int16x8_t low = vmull_s8(vget_low_s8(w.first[i]), vget_low_s8(x.first));
        int16x8_t high = vmull_high_s8(w.first[i], x.first);
        low = vmlal_s8(low, vget_low_s8(w.second[i]), vget_low_s8(x.second));
        high = vmlal_high_s8(high, w.second[i], x.second);
        sum.v[2 * i] = vpadalq_s16(sum.v[2 * i], low);
        sum.v[2 * i + 1] = vpadalq_s16(sum.v[2 * i + 1], high);
    }
    return sum;
}
VGG_INLINE vi vs_total(vs sum, const int32_t *bias, const int32_t *weight_sum)
{
    vi total;
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        total.val[i] = vpaddq_s32(sum.v[2 * i], sum.v[2 * i + 1]);
    }
    return total_of(total, bias, weight_sum);
}
