/* SPDX-License-Identifier: MIT */
/* vec.h for any CPU, with the lanes and the rounding of AVX-512: 16 floats in the compiler's vector type, and fused
 * multiply-adds that round once. */
#include <stddef.h>
#include <stdint.h>

#include "base/half.h"

typedef float vf __attribute__((vector_size(64)));
typedef int32_t vf_mask __attribute__((vector_size(64)));
enum { VF_LANES = 16, VF_FUSED = 1 };
/* The smallest possible tiles make the least code; there are no registers to fill. */
enum { CONV_BLOCKS = 2, CONV_PIXELS = 2 };
enum { LINEAR_STREAMS = 2, LINEAR_ROWS = 1, LINEAR_IMAGES = 2 };
enum { COLUMNS_VECTORS = 1, COLUMNS_IMAGES = 2 };

/* c = a * b + c. It is too long to be inlined, and vectors of this size cannot be passed as arguments on every CPU. */
void vec_model_fma(const float a[VF_LANES], const float b[VF_LANES], float c[VF_LANES]);

VGG_INLINE vf vf_zero(void)
{
    return (vf){0};
}
VGG_INLINE vf vf_set1(float s)
{
    return (vf){s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s};
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
VGG_INLINE vf vf_load_bf16(const void *p)
{
    uint16_t halves[VF_LANES];
    vf a;
    __builtin_memcpy(halves, p, sizeof halves);
    for (int i = 0; i < VF_LANES; i++) {
        a[i] = vgg_bfloat16_to_float(halves[i]);
    }
    return a;
}
VGG_INLINE vf vf_load_f16(const void *p)
{
    uint16_t halves[VF_LANES];
    vf a;
    __builtin_memcpy(halves, p, sizeof halves);
    for (int i = 0; i < VF_LANES; i++) {
        a[i] = vgg_half_to_float(halves[i]);
    }
    return a;
}
VGG_INLINE vf vf_load_partial(const void *p, size_t n)
{
    vf a = {0};
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
    vec_model_fma((const float *)&a, (const float *)&b, (float *)&c);
    return c;
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
    return vf_select(a < low, low, a);
}
VGG_INLINE float vf_sum(vf a)
{
    for (int half = VF_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            a[i] += a[i + half];
        }
    }
    return a[0];
}
