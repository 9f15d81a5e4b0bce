/* SPDX-License-Identifier: MIT */
/* vec.h for AVX2 with FMA and F16C: 16 registers of 8 floats. */
#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "vec_avx2.h needs -mavx2 -mfma -mf16c"
#endif
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef __m256 vf;
enum { VF_LANES = 8, VF_FUSED = 1 };
/* 12 accumulators, 2 weight vectors, 1 broadcast: 15 registers. */
enum { CONV_BLOCKS = 2, CONV_PIXELS = 6 };
enum { LINEAR_STREAMS = 8, LINEAR_ROWS = 3, LINEAR_IMAGES = 4 };
enum { COLUMNS_VECTORS = 2, COLUMNS_IMAGES = 4 };

VGG_INLINE vf vf_zero(void)
{
    return _mm256_setzero_ps();
}
VGG_INLINE vf vf_set1(float s)
{
    return _mm256_set1_ps(s);
}
VGG_INLINE vf vf_load(const void *p)
{
    return _mm256_loadu_ps(p);
}
VGG_INLINE void vf_store(float *p, vf a)
{
    _mm256_storeu_ps(p, a);
}
VGG_INLINE vf vf_load_bf16(const void *p)
{
    const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
}
VGG_INLINE vf vf_load_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(p));
}
VGG_INLINE __m256i vf_first(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VGG_INLINE vf vf_load_partial(const void *p, size_t n)
{
    return _mm256_maskload_ps(p, vf_first(n));
}
VGG_INLINE void vf_store_partial(float *p, vf a, size_t n)
{
    _mm256_maskstore_ps(p, vf_first(n), a);
}
VGG_INLINE vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}
VGG_INLINE vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}
VGG_INLINE vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}
VGG_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
VGG_INLINE vf vf_max(vf a, vf b)
{
    /* The instruction returns b when either is NaN, so a is restored where it is NaN. */
    return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}
VGG_INLINE vf vf_at_least(vf a, vf low)
{
    return _mm256_max_ps(low, a);
}
VGG_INLINE float vf_sum(vf a)
{
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
