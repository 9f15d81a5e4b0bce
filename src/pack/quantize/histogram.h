/* SPDX-License-Identifier: MIT */
/* The distribution of an activation's values, counted image by image, whatever their range. */
#ifndef VGG_PACK_QUANTIZE_HISTOGRAM_H
#define VGG_PACK_QUANTIZE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vgg/quantize.h"

enum { VGG_HISTOGRAM_BINS = 8192 };

/* Of values that are not negative. */
struct vgg_histogram {
    /* [VGG_HISTOGRAM_BINS] of equal width from 0 to top, without zeros; the caller's, cleared at first. */
    uint64_t *bins;
    double top; /* a power of two; 0: only zeros so far */
    uint64_t zeros;
    uint64_t count; /* of all values */
    float largest;
    double squares; /* Σ x² */
};

/* Counts values. False when one of them is negative or non-finite; none is counted then. */
bool vgg_histogram_add(struct vgg_histogram *histogram, const float *values, size_t count);

/* The value that the byte 255 represents with this method. Positive, and at most the largest value that was counted,
 * unless all were zeros. */
float vgg_histogram_clip(const struct vgg_histogram *histogram, enum vgg_clip clip);

/* The sum of the squared errors of clipping and rounding, if bytes represent 0 to `clip`.
 *   clipped  receives the share of values above the clip */
double vgg_histogram_error(const struct vgg_histogram *histogram, float clip, double *clipped);

#endif
