/* SPDX-License-Identifier: MIT */
/* The floats of 16 and 8 bits in checkpoints: exact conversion to float32, and rounding to 16 bits. */
#ifndef VGG_BASE_HALF_H
#define VGG_BASE_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float vgg_float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE binary16: sign, 5 bits of exponent, 10 of fraction. NaNs keep their sign and payload. */
static inline float vgg_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0) { /* zero, or a denormal: fraction * 2^-24, exact in float32 */
        float magnitude = (float)fraction * 0x1p-24f;
        return sign != 0 ? -magnitude : magnitude;
    }
    exponent = exponent == 0x1f ? 0xff : exponent + (127 - 15);
    return vgg_float_from_bits(sign | exponent << 23 | fraction << 13);
}

/* bfloat16 is the upper half of a float32. */
static inline float vgg_bfloat16_to_float(uint16_t bits)
{
    return vgg_float_from_bits((uint32_t)bits << 16);
}

/* The nearest float of 16 bits, ties to even. It takes a double, so that results of double precision are rounded once.
 * Values beyond the largest become infinite.
 *   fraction  the number of its bits; the exponent has the others, except for the sign */
static inline uint16_t vgg_round_to_16_bits(double value, int fraction)
{
    const int bias = (1 << (14 - fraction)) - 1, infinity = (2 * bias + 1) << fraction;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int sign = (int)(bits >> 63) << 15, exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    if (exponent > bias) {
        return (uint16_t)(sign | infinity | (isnan(value) ? 1 << (fraction - 1) : 0));
    }
    /* In units of the last bit, which are the same for denormals and the smallest normal numbers. The leading 1 of the
     * fraction carries into the exponent, and so does a fraction that is rounded up to 2. */
    const int scale = exponent < 1 - bias ? 1 - bias : exponent;
    const uint64_t unit_bits = (uint64_t)(1023 + fraction - scale) << 52;
    double per_unit;
    memcpy(&per_unit, &unit_bits, sizeof per_unit);
    const int units = (int)rint(fabs(value) * per_unit);
    return (uint16_t)(sign | (((scale + bias - 1) << fraction) + units));
}
static inline uint16_t vgg_half_from_double(double value)
{
    return vgg_round_to_16_bits(value, 10);
}
static inline uint16_t vgg_bfloat16_from_double(double value)
{
    return vgg_round_to_16_bits(value, 7);
}

/* float8_e5m2 is the upper half of a binary16. */
static inline float vgg_f8_e5m2_to_float(uint8_t bits)
{
    return vgg_half_to_float((uint16_t)(bits << 8));
}

/* float8_e4m3fn: sign, 4 bits of exponent, 3 of fraction. "fn" means finite: the largest exponent is an ordinary one,
 * and only all ones are NaN. */
static inline float vgg_f8_e4m3_to_float(uint8_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x80) << 24;
    uint32_t exponent = bits >> 3 & 0xf, fraction = bits & 7;
    if (exponent == 0) { /* zero, or a denormal: fraction * 2^-9 */
        float magnitude = (float)fraction * 0x1p-9f;
        return sign != 0 ? -magnitude : magnitude;
    }
    if ((bits & 0x7f) == 0x7f) {
        return vgg_float_from_bits(sign | 0x7ff00000); /* with the same bits as in torch */
    }
    return vgg_float_from_bits(sign | (exponent + (127 - 7)) << 23 | fraction << 20);
}

#endif
