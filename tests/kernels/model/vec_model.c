/* SPDX-License-Identifier: MIT */
/* The fused multiply-add of vec_model.h, on CPUs with one and without. */
#define VGG_INLINE static inline
#include "vec_model.h"

#include <string.h>

/* a + b, rounded to odd: an inexact sum becomes the neighbour whose last bit is 1. Rounding that to 24 bits gives the same
 * as rounding the exact sum, because the last bit stands for the bits that were cut off. The error of a sum is itself a
 * double, unless the sum overflows: then the error is NaN, which is neither less nor greater than 0. */
static double round_to_odd(double a, double b)
{
    double sum = a + b;
    const double b_there = sum - a, error = (a - (sum - b_there)) + (b - b_there);
    if (error < 0 || error > 0) {
        int64_t bits;
        memcpy(&bits, &sum, sizeof bits);
        if (bits % 2 == 0) {
            bits += (error > 0) == (sum > 0) ? 1 : -1;
            memcpy(&sum, &bits, sizeof sum);
        }
    }
    return sum;
}

/* The product of two numbers of 24 bits is exact in double precision. */
void vec_model_fma(const float a[VF_LANES], const float b[VF_LANES], float c[VF_LANES])
{
    for (int i = 0; i < VF_LANES; i++) {
        c[i] = (float)round_to_odd((double)a[i] * (double)b[i], (double)c[i]);
    }
}
