/* SPDX-License-Identifier: MIT */
/* What vec_amx.h needs of the CPU, in plain C: vectors, the tile unit, and the few intrinsics for 32-bit words that split
 * numbers. */
#include "tile_unit.h"
#include "vec_model.h"

typedef uint32_t __m512i __attribute__((vector_size(64)));

VGG_INLINE __m512i _mm512_set1_epi32(int word)
{
    return (__m512i){0} + (uint32_t)word;
}
VGG_INLINE __m512i _mm512_castps_si512(vf numbers)
{
    return (__m512i)numbers;
}
VGG_INLINE vf _mm512_castsi512_ps(__m512i a)
{
    return (vf)a;
}
VGG_INLINE __m512i _mm512_srli_epi32(__m512i a, unsigned bits)
{
    return bits < 32 ? a >> bits : (__m512i){0};
}
VGG_INLINE __m512i _mm512_and_si512(__m512i a, __m512i b)
{
    return a & b;
}
/* Bit 4 a + 2 b + c of the table is the result for bits a, b and c. */
VGG_INLINE __m512i _mm512_ternarylogic_epi32(__m512i a, __m512i b, __m512i c, int table)
{
    __m512i result = {0};
    VGG_UNROLL
    for (int row = 0; row < 8; row++) {
        if ((table >> row & 1) != 0) {
            result |=
                ((row & 4) != 0 ? a : ~a) & ((row & 2) != 0 ? b : ~b) & ((row & 1) != 0 ? c : ~c);
        }
    }
    return result;
}
VGG_INLINE void _mm512_storeu_si512(void *p, __m512i a)
{
    __builtin_memcpy(p, &a, sizeof a);
}
