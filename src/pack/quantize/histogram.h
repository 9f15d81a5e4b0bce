/* SPDX-License-Identifier: MIT */
/* How an activation's numbers are distributed: counted as they come, however large they turn out to be. */
#ifndef VGG_PACK_QUANTIZE_HISTOGRAM_H
#define VGG_PACK_QUANTIZE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vgg/quantize.h"

enum { VGG_HISTOGRAM_BINS = 8192 };

/* Of numbers that are not negative. */
struct vgg_histogram {
    uint64_t *
        bins; /* [VGG_HISTOGRAM_BINS] of equal width from 0 to top, the caller's, cleared; without zeros */
    double top; /* a power of two; 0: nothing but zeros so far */
    uint64_t zeros;
    uint64_t count; /* of all numbers */
    float largest;
    double squares; /* Σ x² */
};

/* Counts numbers. False when one of them is negative or non-finite; nothing is counted then. */
bool vgg_histogram_add(struct vgg_histogram *histogram, const float *numbers, size_t count);

/* The number that the largest byte stands for by this method. Positive, and at most the largest number
 * that was counted, unless all were zeros. */
float vgg_histogram_clip(const struct vgg_histogram *histogram, enum vgg_clip clip);

/* What bytes of 0 to `clip` do to the numbers.
 *   clipped  receives the share above the clip
 * Returns the sum of the squared errors of clipping and rounding. */
double vgg_histogram_error(const struct vgg_histogram *histogram, float clip, double *clipped);

#endif
