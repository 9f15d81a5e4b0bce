/* SPDX-License-Identifier: MIT */
/* What dot_avx2.h and dot_avxvnni.h share: 16 channels are two registers of eight. */
#if !defined(__AVX2__)
#error "dot_ymm.h needs -mavx2"
#endif
#include <immintrin.h>

typedef struct {
    __m256i low, high;
} vi;
typedef vi vs;
typedef vi vb;
typedef struct {
    __m256 low, high;
} vf;

VGG_INLINE vi vi_load(const void *p)
{
    return (vi){_mm256_loadu_si256((const __m256i *)p),
                _mm256_loadu_si256((const __m256i *)((const char *)p + 32))};
}
VGG_INLINE void vi_store(void *p, vi a)
{
    _mm256_storeu_si256((__m256i *)p, a.low);
    _mm256_storeu_si256((__m256i *)((char *)p + 32), a.high);
}
VGG_INLINE vs vs_zero(void)
{
    return (vs){_mm256_setzero_si256(), _mm256_setzero_si256()};
}
VGG_INLINE __m256i broadcast_word(const uint8_t *p)
{
    int32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return _mm256_set1_epi32(word);
}
VGG_INLINE vi vs_total(vs sum, const int32_t *bias, const int32_t *weight_sum)
{
    const vi b = vi_load(bias);
    (void)weight_sum;
    return (vi){_mm256_add_epi32(sum.low, b.low), _mm256_add_epi32(sum.high, b.high)};
}
VGG_INLINE vf vf_from(vi a)
{
    return (vf){_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)};
}
VGG_INLINE vf vf_load(const float *p)
{
    return (vf){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
VGG_INLINE vf vf_set1(float s)
{
    return (vf){_mm256_set1_ps(s), _mm256_set1_ps(s)};
}
VGG_INLINE void vf_store(float *p, vf a)
{
    _mm256_storeu_ps(p, a.low);
    _mm256_storeu_ps(p + 8, a.high);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    return (vf){_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    return (vf){_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
/* Limits to 255 and rounds to even. NaN becomes -2^31, as does what is too small for int32: the minimum returns its second
 * operand when either is NaN. */
VGG_INLINE vi vi_round(vf f)
{
    const __m256 max = _mm256_set1_ps(255);
    return (vi){_mm256_cvtps_epi32(_mm256_min_ps(max, f.low)),
                _mm256_cvtps_epi32(_mm256_min_ps(max, f.high))};
}
VGG_INLINE vi vi_byte(vf f)
{
    const vi q = vi_round(f);
    const __m256i zero = _mm256_setzero_si256();
    return (vi){_mm256_max_epi32(q.low, zero), _mm256_max_epi32(q.high, zero)};
}
VGG_INLINE vi vi_put(vi a, vi b, int n)
{
    const __m256i bits = _mm256_set1_epi32(8 * n);
    return (vi){_mm256_or_si256(a.low, _mm256_sllv_epi32(b.low, bits)),
                _mm256_or_si256(a.high, _mm256_sllv_epi32(b.high, bits))};
}
/* Both packing instructions saturate. They work within each half of a register, which leaves the words of four bytes
 * transposed. */
VGG_INLINE void vf_store_bytes(uint8_t *p, vf f)
{
    const vi q = vi_round(f);
    const __m256i pairs = _mm256_packs_epi32(q.low, q.high);
    /* 0 2 . . | 1 3 . . */
    const __m256i words = _mm256_packus_epi16(pairs, pairs);
    _mm_storeu_si128((__m128i *)(void *)p, _mm_unpacklo_epi32(_mm256_castsi256_si128(words),
                                                              _mm256_extracti128_si256(words, 1)));
}
VGG_INLINE void vf_store_block(uint8_t *p, const vf f[4])
{
    for (int g = 0; g < 4; g++) {
        vf_store_bytes(p + 16 * g, f[g]);
    }
}
VGG_INLINE vb vb_load(const uint8_t *p)
{
    return vi_load(p);
}
VGG_INLINE void vb_store(uint8_t *p, vb a)
{
    vi_store(p, a);
}
VGG_INLINE vb vb_max(vb a, vb b)
{
    return (vb){_mm256_max_epu8(a.low, b.low), _mm256_max_epu8(a.high, b.high)};
}
