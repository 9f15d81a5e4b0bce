/* base/half: all 65536 values of both 16-bit floats. */
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

UNIT_MAIN("half", widens_every_half, widens_every_bfloat16)
