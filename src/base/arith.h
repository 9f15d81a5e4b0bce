/* SPDX-License-Identifier: MIT */
/* Integer arithmetic that the standard library lacks. */
#ifndef VGG_BASE_ARITH_H
#define VGG_BASE_ARITH_H

static inline int vgg_clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* a / b rounded up, for a >= 0 up to INT_MAX: channels come from a file. */
static inline int vgg_ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

#endif
