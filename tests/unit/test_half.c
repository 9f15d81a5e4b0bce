/* SPDX-License-Identifier: MIT */
/* base/half: all values of the floats of 16 and of 8 bits. */
#include "unit.h"

#include <math.h>

#include "base/half.h"

/* By the definition of binary16, in double. */
static double expected_half(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 0x1f);
    double fraction = bits & 0x3ff;
    double magnitude = exponent == 0    ? ldexp(fraction, -24)
                       : exponent == 31 ? (fraction == 0 ? HUGE_VAL : (double)NAN)
                                        : ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

START_TEST(widens_every_half)
{
    for (unsigned bits = 0; bits <= 0xffff; bits++) {
        float found = vgg_half_to_float((uint16_t)bits);
        double expected = expected_half(bits);
        if (isnan(expected)) {
            ck_assert_msg(isnan(found), "0x%04x", bits);
        } else {
            ck_assert_msg((double)found == expected, "0x%04x", bits);
        }
        ck_assert_msg(!signbit(found) == !(bits & 0x8000), "sign of 0x%04x", bits);
    }
}
END_TEST

START_TEST(widens_every_bfloat16)
{
    for (unsigned bits = 0; bits <= 0xffff; bits++) {
        float found = vgg_bfloat16_to_float((uint16_t)bits);
        uint32_t found_bits;
        memcpy(&found_bits, &found, sizeof found_bits);
        ck_assert_uint_eq(found_bits, (uint32_t)bits << 16);
    }
}
END_TEST

/* Every number of the type is itself; between two neighbours the nearer one is taken, of a double that is as
 * near to both as can be without a tie, and of a tie the one whose last bit is 0. */
static void check_rounding(float (*widen)(uint16_t), uint16_t (*narrow)(double), unsigned infinity)
{
    for (unsigned bits = 0; bits < infinity; bits++) {
        const double low = (double)widen((uint16_t)bits);
        /* Past the largest number comes what would be the next one. */
        const double below = bits > 0 ? (double)widen((uint16_t)(bits - 1)) : 0;
        const double high =
            bits + 1 < infinity ? (double)widen((uint16_t)(bits + 1)) : 2 * low - below;
        const double middle = low + (high - low) / 2;
        for (unsigned sign = 0; sign <= 0x8000; sign += 0x8000) {
            const double s = sign != 0 ? -1 : 1;
            ck_assert_uint_eq(narrow(s * low), bits | sign);
            ck_assert_uint_eq(narrow(s * nextafter(middle, 0)), bits | sign);
            ck_assert_uint_eq(narrow(s * nextafter(middle, HUGE_VAL)), (bits + 1) | sign);
            ck_assert_uint_eq(narrow(s * middle), (bits + (bits & 1)) | sign);
        }
    }
    ck_assert_uint_eq(narrow(HUGE_VAL), infinity);
    ck_assert_uint_eq(narrow(-1e300), 0x8000 | infinity);
    ck_assert_uint_eq(narrow(1e-320), 0);
    ck_assert(isnan(widen(narrow((double)NAN))));
}

static float widen_half(uint16_t bits)
{
    return vgg_half_to_float(bits);
}
static float widen_bfloat16(uint16_t bits)
{
    return vgg_bfloat16_to_float(bits);
}
static uint16_t narrow_half(double value)
{
    return vgg_half_from_double(value);
}
static uint16_t narrow_bfloat16(double value)
{
    return vgg_bfloat16_from_double(value);
}

START_TEST(rounds_once_to_nearest_even)
{
    check_rounding(widen_half, narrow_half, 0x7c00);
    check_rounding(widen_bfloat16, narrow_bfloat16, 0x7f80);
}
END_TEST

/* By the table of the format: bias 7, no infinities, all ones are NaN. */
static double expected_e4m3(unsigned bits)
{
    int exponent = (int)(bits >> 3 & 0xf);
    double fraction = bits & 7;
    double magnitude = (bits & 0x7f) == 0x7f ? (double)NAN
                       : exponent == 0       ? ldexp(fraction, -9)
                                             : ldexp(8 + fraction, exponent - 10);
    return (bits & 0x80) != 0 ? -magnitude : magnitude;
}

START_TEST(widens_every_float8)
{
    for (unsigned bits = 0; bits <= 0xff; bits++) {
        float e4m3 = vgg_f8_e4m3_to_float((uint8_t)bits);
        float e5m2 = vgg_f8_e5m2_to_float((uint8_t)bits);
        double expected = expected_e4m3(bits), half = expected_half(bits << 8);
        ck_assert_msg(isnan(expected) ? isnan(e4m3) : (double)e4m3 == expected, "0x%02x", bits);
        ck_assert_msg(isnan(half) ? isnan(e5m2) : (double)e5m2 == half, "0x%02x", bits);
        ck_assert_msg(!signbit(e4m3) == !(bits & 0x80), "sign of 0x%02x", bits);
        ck_assert_msg(!signbit(e5m2) == !(bits & 0x80), "sign of 0x%02x", bits);
    }
    ck_assert((double)vgg_f8_e4m3_to_float(0x7e) == 448); /* the largest of each */
    ck_assert((double)vgg_f8_e5m2_to_float(0x7b) == 57344);
    ck_assert((double)vgg_f8_e4m3_to_float(0x01) == 0x1p-9); /* and the smallest */
    ck_assert((double)vgg_f8_e5m2_to_float(0x01) == 0x1p-16);
}
END_TEST

UNIT_MAIN("half", widens_every_half, widens_every_bfloat16, widens_every_float8,
          rounds_once_to_nearest_even)
