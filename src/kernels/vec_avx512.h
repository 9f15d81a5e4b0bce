/* SPDX-License-Identifier: MIT */
/* vec.h for AVX-512: 32 registers of 16 floats. */
#ifndef __AVX512F__
#error "vec_avx512.h needs -mavx512f"
#endif
#include <immintrin.h>
#include <stddef.h>

typedef __m512 vf;
enum { VF_LANES = 16, VF_FUSED = 1 };
/* 28 accumulators, 2 weight vectors, 1 broadcast: 31 registers. VGG's widths are multiples of 14. */
enum { CONV_BLOCKS = 2, CONV_PIXELS = 14 };
enum { LINEAR_STREAMS = 8, LINEAR_ROWS = 3, LINEAR_IMAGES = 8 };
enum { COLUMNS_VECTORS = 2, COLUMNS_IMAGES = 8 };

VGG_INLINE vf vf_zero(void)
{
    return _mm512_setzero_ps();
}
VGG_INLINE vf vf_set1(float s)
{
    return _mm512_set1_ps(s);
}
VGG_INLINE vf vf_load(const void *p)
{
    return _mm512_loadu_ps(p);
}
VGG_INLINE void vf_store(float *p, vf a)
{
    _mm512_storeu_ps(p, a);
}
VGG_INLINE vf vf_load_bf16(const void *p)
{
    const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
}
VGG_INLINE vf vf_load_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(p));
}
VGG_INLINE __mmask16 vf_first(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}
VGG_INLINE vf vf_load_partial(const void *p, size_t n)
{
    return _mm512_maskz_loadu_ps(vf_first(n), p);
}
VGG_INLINE void vf_store_partial(float *p, vf a, size_t n)
{
    _mm512_mask_storeu_ps(p, vf_first(n), a);
}
VGG_INLINE vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
VGG_INLINE vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}
VGG_INLINE vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}
VGG_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
VGG_INLINE vf vf_max(vf a, vf b)
{
    /* The instruction returns b when either is NaN, so a is restored where it is NaN. */
    return _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
}
VGG_INLINE vf vf_at_least(vf a, vf low)
{
    return _mm512_max_ps(low, a);
}
VGG_INLINE float vf_sum(vf a)
{
    __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a),
                             _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1)));
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
