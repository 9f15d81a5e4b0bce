/* The floats of 16 and 8 bits in checkpoints, widened to float32 exactly. */
#ifndef VGG_BASE_HALF_H
#define VGG_BASE_HALF_H

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

/* float8_e5m2 is the upper half of a binary16. */
static inline float vgg_f8_e5m2_to_float(uint8_t bits)
{
    return vgg_half_to_float((uint16_t)(bits << 8));
}

/* float8_e4m3fn: sign, 4 bits of exponent, 3 of fraction. "fn" is finite: the largest exponent is one
 * like the others, and only all ones are NaN. */
static inline float vgg_f8_e4m3_to_float(uint8_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x80) << 24;
    uint32_t exponent = bits >> 3 & 0xf, fraction = bits & 7;
    if (exponent == 0) { /* zero, or a denormal: fraction * 2^-9 */
        float magnitude = (float)fraction * 0x1p-9f;
        return sign != 0 ? -magnitude : magnitude;
    }
    if ((bits & 0x7f) == 0x7f) {
        return vgg_float_from_bits(sign | 0x7ff00000); /* with the bits that torch gives it */
    }
    return vgg_float_from_bits(sign | (exponent + (127 - 7)) << 23 | fraction << 20);
}

#endif
