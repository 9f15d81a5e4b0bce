/* SPDX-License-Identifier: MIT */
/* Small arithmetic on integers, and the clock. */
#ifndef VGG_BASE_MATHUTIL_H
#define VGG_BASE_MATHUTIL_H

#include <stdint.h>
#include <time.h>

/* The monotonic clock, in nanoseconds. */
static inline uint64_t vgg_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline int vgg_clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* a / b rounded up, for a from 0 to INT_MAX: channel counts come from a file, so a + b could overflow. */
static inline int vgg_ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

#endif
