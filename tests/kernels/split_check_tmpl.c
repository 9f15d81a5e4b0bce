/* SPDX-License-Identifier: MIT */
/* How vec_amx.h splits float32 numbers into three bfloat16 terms, and where it stores them: every kind of number, with
 * denormals on and off, against the definition; and the layout against a table of it. Compiled for AVX-512 vectors, which
 * are all that splitting needs, and for the model's vectors. */
#include "check.h"
#include "kernels/vec.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"

#define NAME_(isa) check_split_##isa
#define NAME(isa) NAME_(isa)

enum { ROUNDS = 40000, TERMS = 3, HALVES = 2 };

/* The terms of lane `lane` of the numbers in the lower (0) or upper (1) halves of a row's words. */
static void read_terms(const char *row, int half, int lane, float terms[TERMS])
{
    for (int term = 0; term < TERMS; term++) {
        uint32_t word;
        memcpy(&word, row + term * VT_TERM + lane * (int)sizeof word, sizeof word);
        word = half == 0 ? word << 16 : word & 0xffff0000;
        memcpy(&terms[term], &word, sizeof word);
    }
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Whether a normal number is split right. bfloat16 has no bits below 2^-133, so what lies there is lost when a term is
 * denormal. With denormals off, a rest below 2^-126 is lost. */
static bool is_split_well(float x, const float terms[TERMS], bool denormals_off)
{
    const double size = fabs((double)x), rest = (double)x - (double)terms[0];
    const double last = rest - (double)terms[1], lost = last - (double)terms[2];
    const double min = denormals_off ? 0x1p-126 : 0x1p-133;
    const double exact_from = denormals_off ? 0x1p-103 : 0x1p-110;
    bool one_sign = true;
    for (int term = 0; term < TERMS; term++) {
        one_sign = one_sign && (terms[term] == 0 || signbit(terms[term]) == signbit(x));
    }
    return one_sign && fabs(rest) < 0x1p-7 * size && fabs(last) < fmax(0x1p-15 * size, min) &&
           (size >= exact_from ? lost == 0 : fabs(lost) < min);
}

static bool is_denormal(float x)
{
    return fabs((double)x) < 0x1p-126;
}

static void check_number(struct check *check, float x, const float terms[TERMS], bool denormals_off)
{
    bool good;
    if (isnan(x)) {
        good = isnan(terms[0]) || isnan(terms[1]);
    } else if (isinf(x)) {
        good = terms[0] == x && isnan(terms[1]) && isnan(terms[2]);
    } else if (is_denormal(x)) {
        /* In the unit all of them count as zero. */
        good = is_denormal(terms[0]) && is_denormal(terms[1]) && is_denormal(terms[2]);
    } else {
        good = is_split_well(x, terms, denormals_off);
    }
    if (!good) {
        check_fail(check, "%a is not %a + %a + %a", (double)x, (double)terms[0], (double)terms[1],
                   (double)terms[2]);
    }
}

/* Splits two vectors of any bits. */
static void check_bits(struct check *check, uint32_t bits[HALVES][VF_LANES], bool denormals_off)
{
    float numbers[HALVES][VF_LANES], terms[TERMS];
    char row[2 * VT_TERM + VT_ROW];
    memcpy(numbers, bits, sizeof numbers);
    const uint64_t mode = denormals_off ? vgg_denormals_off() : 0;
    vt_split(row, vf_load(numbers[0]), vf_load(numbers[1]));
    if (denormals_off) {
        vgg_denormals_restore(mode);
    }
    for (int i = 0; i < HALVES * VF_LANES; i++) {
        read_terms(row, i / VF_LANES, i % VF_LANES, terms);
        for (int term = 0; term < TERMS; term++) {
            uint32_t word;
            memcpy(&word, &terms[term], sizeof word);
            check_note(check, word);
        }
        check_number(check, numbers[i / VF_LANES][i % VF_LANES], terms, denormals_off);
    }
}

static void check_random_numbers(struct check *check, bool denormals_off)
{
    check_begin(check, "splitting of any bits%s", denormals_off ? ", denormals off" : "");
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t bits[HALVES][VF_LANES];
        for (int i = 0; i < HALVES * VF_LANES; i++) {
            bits[i / VF_LANES][i % VF_LANES] = (uint32_t)check_random(check);
        }
        check_bits(check, bits, denormals_off);
    }
    check_end(check);
}

/* All exponents, including those of zeros, denormals, infinities and NaN, with fractions at whose bits terms begin and end:
 * the first term has 7 bits of the fraction, each other one 8. */
static void check_edges(struct check *check, bool denormals_off)
{
    check_begin(check, "splitting of all exponents%s", denormals_off ? ", denormals off" : "");
    for (uint32_t sign = 0; sign < 2; sign++) {
        for (uint32_t exponent = 0; exponent < 256; exponent++) {
            for (uint32_t bit = 0; bit < 24; bit++) {
                uint32_t bits[HALVES][VF_LANES];
                for (uint32_t i = 0; i < VF_LANES; i++) {
                    const uint32_t fraction = (1u << bit >> 1) - (i % 4) + (i / 4 * 0x8080);
                    bits[0][i] = sign << 31 | exponent << 23 | (fraction & 0x7fffff);
                    bits[1][i] = bits[0][i] ^ 0x7fffff;
                }
                check_bits(check, bits, denormals_off);
            }
        }
    }
    check_end(check);
}

/* --- layout ----------------------------------------------------------------------------------- */

/* One frequency of V for three blocks and 64 tiles, a line for a row of 64 bytes:
 *
 *     byte         term   tiles      blocks
 *         0           0    0 … 31     0, 1
 *      2048           1    0 … 31     0, 1
 *      4096           2    0 … 31     0, 1
 *      6144           0    0 … 31     2, zeros
 *      8192           1    0 … 31     2, zeros
 *     10240           2    0 … 31     2, zeros
 *     12288           0   32 … 63     0, 1
 *       …
 *
 * and in each of a row's 16 words one channel: the lower half is the first block's, the upper half the second's. */
static const struct {
    int blocks, block, t;
    int byte[TERMS]; /* of the rows */
} drawn[] = {
    {1, 0, 0, {0, 2048, 4096}},        {1, 0, 1, {64, 2112, 4160}},
    {1, 0, 31, {1984, 4032, 6080}},    {1, 0, 32, {6144, 8192, 10240}},
    {2, 0, 15, {960, 3008, 5056}},     {2, 0, 33, {6208, 8256, 10304}},
    {3, 0, 0, {0, 2048, 4096}},        {3, 2, 0, {6144, 8192, 10240}},
    {3, 2, 5, {6464, 8512, 10560}},    {3, 0, 32, {12288, 14336, 16384}},
    {3, 2, 63, {20416, 22464, 24512}}, {4, 2, 16, {7168, 9216, 11264}},
    {5, 4, 2, {12416, 14464, 16512}},  {5, 0, 64, {36864, 38912, 40960}},
    {5, 4, 65, {49216, 51264, 53312}},
};

/* Numbers whose terms are known: 1 + l / 16, 2^-10 and 2^-20 for lane l of the first block; those of the second are
 * their doubles, negative. */
static uint32_t expect_half(int term, int half, int lane)
{
    const float terms[TERMS] = {1 + (float)lane / 16, 0x1p-10f, 0x1p-20f};
    const float number = half == 0 ? terms[term] : -2 * terms[term];
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits >> 16;
}

static void check_drawing(struct check *check, size_t index)
{
    const int blocks = drawn[index].blocks, block = drawn[index].block, t = drawn[index].t;
    const size_t pairs = (size_t)(blocks + 1) / 2, groups = (size_t)t / VT_TILES + 1;
    const size_t count = pairs * groups * VT_PAIR / sizeof(float);
    vf channels[HALVES];
    check_begin(check, "place of tile %d of blocks %d and %d of %d", t, block, block + 1, blocks);
    for (int half = 0; half < HALVES; half++) {
        float numbers[VF_LANES];
        for (int lane = 0; lane < VF_LANES; lane++) {
            const float number = 1 + (float)lane / 16 + 0x1p-10f + 0x1p-20f;
            numbers[lane] = half == 0 ? number : -2 * number;
        }
        channels[half] = vf_load(numbers);
    }
    float *v = check_output(check, count);
    vt_store(vt_at(v, 0, block, blocks, t), channels);
    for (int term = 0; term < TERMS; term++) {
        for (int lane = 0; lane < VF_LANES; lane++) {
            float *at = v + (size_t)drawn[index].byte[term] / sizeof *v + lane;
            uint32_t word;
            memcpy(&word, at, sizeof word);
            check_take(check, at);
            const uint32_t want = expect_half(term, 1, lane) << 16 | expect_half(term, 0, lane);
            if (word != want) {
                check_fail(check, "byte %d, word %d: expected %08x, got %08x",
                           drawn[index].byte[term], lane, want, word);
            }
        }
    }
    check_untouched(check, v, count);
    check_end(check);
}

void NAME(VGG_ISA)(struct check *check)
{
    for (int off = 0; off < 2; off++) {
        check_random_numbers(check, off != 0);
        check_edges(check, off != 0);
    }
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++) {
        check_drawing(check, i);
    }
}
