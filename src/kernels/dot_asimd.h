/* SPDX-License-Identifier: MIT */
/* What dot_neon.h and dot_neondot.h share. The instructions multiply signed bytes, so pixels become q - 128, and 128 Σ w
 * is added to the sum in the end. */
#if !defined(__aarch64__)
#error "dot_asimd.h needs AArch64"
#endif
#include <arm_neon.h>

typedef int32x4x4_t vi;
typedef float32x4x4_t vf;
typedef uint8x16x4_t vb;

VGG_INLINE vi vi_load(const int32_t *p)
{
    return vld1q_s32_x4(p);
}
VGG_INLINE void vi_store(void *p, vi a)
{
    vst1q_s32_x4(p, a);
}
/* sum + bias + 128 Σ w, modulo 2^32 as sums are. */
VGG_INLINE vi total_of(vi sum, const int32_t *bias, const int32_t *weight_sum)
{
    const vi b = vi_load(bias), w = vi_load(weight_sum);
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        sum.val[i] = vaddq_s32(vaddq_s32(sum.val[i], b.val[i]), vshlq_n_s32(w.val[i], 7));
    }
    return sum;
}
VGG_INLINE vf vf_from(vi a)
{
    vf f;
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        f.val[i] = vcvtq_f32_s32(a.val[i]);
    }
    return f;
}
VGG_INLINE vf vf_load(const float *p)
{
    return vld1q_f32_x4(p);
}
VGG_INLINE vf vf_set1(float s)
{
    const float32x4_t a = vdupq_n_f32(s);
    return (vf){{a, a, a, a}};
}
VGG_INLINE void vf_store(float *p, vf a)
{
    vst1q_f32_x4(p, a);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        a.val[i] = vsubq_f32(a.val[i], b.val[i]);
    }
    return a;
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        a.val[i] = vmulq_f32(a.val[i], b.val[i]);
    }
    return a;
}
/* FCVTNS rounds to even, saturates, and turns NaN into 0. Both narrowing instructions saturate. */
VGG_INLINE vi vi_byte(vf f)
{
    vi q;
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        const int32x4_t rounded = vcvtnq_s32_f32(f.val[i]);
        q.val[i] = vminq_s32(vmaxq_s32(rounded, vdupq_n_s32(0)), vdupq_n_s32(255));
    }
    return q;
}
VGG_INLINE vi vi_put(vi a, vi b, int n)
{
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        a.val[i] = vorrq_s32(a.val[i], vshlq_s32(b.val[i], vdupq_n_s32(8 * n)));
    }
    return a;
}
VGG_INLINE uint16x8_t narrow(float32x4_t low, float32x4_t high)
{
    return vqmovun_high_s32(vqmovun_s32(vcvtnq_s32_f32(low)), vcvtnq_s32_f32(high));
}
VGG_INLINE void vf_store_bytes(uint8_t *p, vf f)
{
    const uint16x8_t low = narrow(f.val[0], f.val[1]), high = narrow(f.val[2], f.val[3]);
    vst1q_u8(p, vqmovn_high_u16(vqmovn_u16(low), high));
}
VGG_INLINE void vf_store_block(uint8_t *p, const vf f[4])
{
    for (int g = 0; g < 4; g++) {
        vf_store_bytes(p + 16 * g, f[g]);
    }
}
VGG_INLINE vb vb_load(const uint8_t *p)
{
    return vld1q_u8_x4(p);
}
VGG_INLINE void vb_store(uint8_t *p, vb a)
{
    vst1q_u8_x4(p, a);
}
VGG_INLINE vb vb_max(vb a, vb b)
{
    VGG_UNROLL
    for (int i = 0; i < 4; i++) {
        a.val[i] = vmaxq_u8(a.val[i], b.val[i]);
    }
    return a;
}
