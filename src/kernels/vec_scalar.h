/* SPDX-License-Identifier: MIT */
/* vec.h for any CPU: four floats in the compiler's vector type, which it compiles to the baseline's vectors (SSE2 on
 * x86-64) or to scalar code. There is no fused multiply-add. */
#include <stddef.h>
#include <stdint.h>

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vf_mask __attribute__((vector_size(16)));
typedef uint32_t vf_bits __attribute__((vector_size(16)));
enum { VF_LANES = 4, VF_FUSED = 0 };
/* 8 accumulators, 2 weight vectors, 1 broadcast, 1 product: 12 of 16 registers. */
enum { CONV_BLOCKS = 2, CONV_PIXELS = 4 };
enum { LINEAR_STREAMS = 8, LINEAR_ROWS = 2, LINEAR_IMAGES = 4 };
enum { COLUMNS_VECTORS = 2, COLUMNS_IMAGES = 4 };

VGG_INLINE vf vf_zero(void)
{
    return (vf){0, 0, 0, 0};
}
VGG_INLINE vf vf_set1(float s)
{
    return (vf){s, s, s, s};
}
VGG_INLINE vf vf_load(const void *p)
{
    vf a;
    __builtin_memcpy(&a, p, sizeof a);
    return a;
}
VGG_INLINE void vf_store(float *p, vf a)
{
    __builtin_memcpy(p, &a, sizeof a);
}
/* 16 bits in the lower half of each lane. */
VGG_INLINE vf_bits vf_load_halves(const void *p)
{
    typedef uint16_t halves __attribute__((vector_size(8)));
    halves a;
    __builtin_memcpy(&a, p, sizeof a);
    return __builtin_convertvector(a, vf_bits);
}
VGG_INLINE vf vf_load_bf16(const void *p)
{
    return (vf)(vf_load_halves(p) << 16);
}
/* With sign and fraction at their places in float32 the exponent is 112 too small, that of infinity and NaN 224. A
 * denormal is computed as (2^-14 + fraction) - 2^-14, so that no float32 denormal occurs, which threads may flush to
 * zero. */
VGG_INLINE vf vf_load_f16(const void *p)
{
    const vf_bits bits = vf_load_halves(p), magnitude = (bits & 0x7fff) << 13;
    const vf_bits denormal = (vf_bits)(magnitude < 0x400 << 13);
    const vf_bits special = (vf_bits)(magnitude >= 0x7c00 << 13);
    const vf_bits normal = magnitude + (112 << 23) + (special & 112 << 23);
    const vf_bits rest = (vf_bits)((vf)(magnitude + (113 << 23)) - 0x1p-14f);
    return (vf)((denormal & rest) | (~denormal & normal) | (bits & 0x8000) << 16);
}
VGG_INLINE vf vf_load_partial(const void *p, size_t n)
{
    vf a = {0, 0, 0, 0};
    __builtin_memcpy(&a, p, n * sizeof(float));
    return a;
}
VGG_INLINE void vf_store_partial(float *p, vf a, size_t n)
{
    __builtin_memcpy(p, &a, n * sizeof(float));
}
VGG_INLINE vf vf_add(vf a, vf b)
{
    return a + b;
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    return a - b;
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    return a * b;
}
VGG_INLINE vf vf_div(vf a, vf b)
{
    return a / b;
}
VGG_INLINE vf vf_sqrt(vf a)
{
    for (int i = 0; i < VF_LANES; i++) {
        a[i] = __builtin_sqrtf(a[i]);
    }
    return a;
}
VGG_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return a * b + c;
}
/* a where the mask is set, else b. */
VGG_INLINE vf vf_select(vf_mask mask, vf a, vf b)
{
    return (vf)(((vf_mask)a & mask) | ((vf_mask)b & ~mask));
}
VGG_INLINE vf vf_max(vf a, vf b)
{
    /* Neither condition holds when only b is NaN. */
    return vf_select((a > b) | (a != a), a, b);
}
VGG_INLINE vf vf_at_least(vf a, vf low)
{
    return vf_select(a <= low, low, a);
}
VGG_INLINE float vf_sum(vf a)
{
    return (a[0] + a[2]) + (a[1] + a[3]);
}
