/* SPDX-License-Identifier: MIT */
/* dot.h for AVX-512 with VNNI: a register for 16 channels, of 32 registers. */
#if !defined(__AVX512F__) || !defined(__AVX512VNNI__)
#error "dot_avx512vnni.h needs -mavx512f -mavx512vnni"
#endif
#include <immintrin.h>

typedef __m512i vs;
typedef __m512i vi;
typedef __m512 vf;
typedef __m512i vx;
typedef __m512i vw;
typedef __m512i vb;
enum { VX_WORDS = 1, VW_WORDS = 1 };
/* 24 accumulators, 4 weights, words of pixels: 28 registers and more. */
enum { DOT_GROUPS = 4, DOT_PIXELS = 6 };
enum { DOT_STREAMS = 4, DOT_ROWS = 2, DOT_IMAGES = 8, DOT_SKIPS = 1 };

#define vx_hide(x) __asm__ volatile("" : "+v"(x))

VGG_INLINE vs vs_zero(void)
{
    return _mm512_setzero_si512();
}
VGG_INLINE vx vx_load(const uint8_t *p)
{
    int32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return _mm512_set1_epi32(word);
}
VGG_INLINE vx vx_load_word(const uint8_t *p)
{
    return vx_load(p);
}
VGG_INLINE vw vw_load(const int8_t *p)
{
    return _mm512_loadu_si512(p);
}
VGG_INLINE vw vw_load_word(const int8_t *p)
{
    return vw_load(p);
}
VGG_INLINE vs vs_dot(vs sum, vw w, vx x, int at)
{
    (void)at;
    return _mm512_dpbusd_epi32(sum, x, w);
}
VGG_INLINE vi vs_total(vs sum, const int32_t *bias, const int32_t *weight_sum)
{
    (void)weight_sum;
    return _mm512_add_epi32(sum, _mm512_loadu_si512(bias));
}
VGG_INLINE vf vf_from(vi a)
{
    return _mm512_cvtepi32_ps(a);
}
VGG_INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
VGG_INLINE vf vf_set1(float s)
{
    return _mm512_set1_ps(s);
}
VGG_INLINE void vf_store(float *p, vf a)
{
    _mm512_storeu_ps(p, a);
}
VGG_INLINE vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}
VGG_INLINE vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}
/* Limits to 255 and rounds to even. NaN becomes -2^31, as does what is too small for int32: the minimum returns its second
 * operand when either is NaN. */
VGG_INLINE vi vi_round(vf f)
{
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(255), f));
}
VGG_INLINE vi vi_byte(vf f)
{
    return _mm512_max_epi32(vi_round(f), _mm512_setzero_si512());
}
VGG_INLINE vi vi_put(vi a, vi b, int n)
{
    return _mm512_or_si512(a, _mm512_sllv_epi32(b, _mm512_set1_epi32(8 * n)));
}
VGG_INLINE void vi_store(void *p, vi a)
{
    _mm512_storeu_si512(p, a);
}
VGG_INLINE void vf_store_bytes(uint8_t *p, vf f)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(vi_byte(f)));
}
/* Both packing instructions saturate. They work within each quarter of a register, which leaves the words of four bytes
 * transposed. */
VGG_INLINE void vf_store_block(uint8_t *p, const vf f[4])
{
    const __m512i low = _mm512_packs_epi32(vi_round(f[0]), vi_round(f[1]));
    const __m512i high = _mm512_packs_epi32(vi_round(f[2]), vi_round(f[3]));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)));
}
VGG_INLINE vb vb_load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}
VGG_INLINE void vb_store(uint8_t *p, vb a)
{
    _mm512_storeu_si512(p, a);
}
VGG_INLINE vb vb_max(vb a, vb b)
{
    return _mm512_max_epu8(a, b);
}
