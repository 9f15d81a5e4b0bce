/* SPDX-License-Identifier: MIT */
/* vec.h for AArch64 Advanced SIMD: 32 registers of 4 floats. */
#if !defined(__aarch64__)
#error "vec_neon.h needs AArch64"
#endif
#include <arm_neon.h>
#include <stddef.h>

typedef float32x4_t vf;
enum { VF_LANES = 4, VF_FUSED = 1 };
/* 24 accumulators, 4 weight vectors, 1 broadcast: 29 registers. */
enum { CONV_BLOCKS = 4, CONV_PIXELS = 6 };
enum { LINEAR_STREAMS = 8, LINEAR_ROWS = 3, LINEAR_IMAGES = 8 };
enum { COLUMNS_VECTORS = 4, COLUMNS_IMAGES = 4 };

VGG_INLINE vf vf_zero(void)
{
    return vdupq_n_f32(0);
}
VGG_INLINE vf vf_set1(float s)
{
    return vdupq_n_f32(s);
}
VGG_INLINE vf vf_load(const void *p)
{
    /* Loads bytes, because p may be unaligned. */
    return vreinterpretq_f32_u8(vld1q_u8(p));
}
VGG_INLINE void vf_store(float *p, vf a)
{
    vst1q_f32(p, a);
}
VGG_INLINE vf vf_load_bf16(const void *p)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(p)), 16));
}
VGG_INLINE vf vf_load_f16(const void *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}
VGG_INLINE vf vf_load_partial(const void *p, size_t n)
{
    float lanes[4] = {0, 0, 0, 0};
    __builtin_memcpy(lanes, p, n * sizeof(float));
    return vld1q_f32(lanes);
}
VGG_INLINE void vf_store_partial(float *p, vf a, size_t n)
{
    float lanes[4];
    vst1q_f32(lanes, a);
    __builtin_memcpy(p, lanes, n * sizeof(float));
}
VGG_INLINE vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}
VGG_INLINE vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}
VGG_INLINE vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}
VGG_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
VGG_INLINE vf vf_max(vf a, vf b)
{
    /* FMAX returns NaN when either is NaN. */
    return vmaxq_f32(a, b);
}
VGG_INLINE vf vf_at_least(vf a, vf low)
{
    return vmaxq_f32(a, low);
}
VGG_INLINE float vf_sum(vf a)
{
    float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}
