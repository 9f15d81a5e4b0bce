/* SPDX-License-Identifier: MIT */
/* The distribution of an activation's values, and where to clip them. */
#include "pack/quantize/histogram.h"

#include <math.h>

enum {
    BINS = VGG_HISTOGRAM_BINS,
    CLIPS_TRIED = 256, /* by the search for the smallest mean-square error */
};

/* Makes every bin twice as wide. */
static void widen(struct vgg_histogram *histogram)
{
    for (size_t i = 0; i < BINS / 2; i++) {
        histogram->bins[i] = histogram->bins[2 * i] + histogram->bins[2 * i + 1];
    }
    for (size_t i = BINS / 2; i < BINS; i++) {
        histogram->bins[i] = 0;
    }
    histogram->top *= 2;
}

bool vgg_histogram_add(struct vgg_histogram *histogram, const float *values, size_t count)
{
    float largest = 0, min = 0;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
        min = values[i] < min ? values[i] : min;
        squares += (double)values[i] * (double)values[i];
    }
    if (!isfinite(squares) ||
        min < 0) { /* NaN compares as neither larger nor smaller, but makes squares NaN */
        return false;
    }
    if (largest > 0 && histogram->top == 0) {
        histogram->top = ldexp(1, ilogb((double)largest) + 1);
    }
    while ((double)largest >= histogram->top && largest > 0) {
        widen(histogram);
    }
    const double bins_per_unit = histogram->top > 0 ? BINS / histogram->top : 0;
    for (size_t i = 0; i < count; i++) {
        if (values[i] > 0) {
            histogram->bins[(size_t)((double)values[i] * bins_per_unit)]++;
        } else {
            histogram->zeros++;
        }
    }
    histogram->count += count;
    histogram->largest = largest > histogram->largest ? largest : histogram->largest;
    histogram->squares += squares;
    return true;
}

double vgg_histogram_error(const struct vgg_histogram *histogram, float clip, double *clipped)
{
    const double width = histogram->top / BINS, step = (double)clip / 255;
    uint64_t inside = 0, above = 0;
    double error = 0;
    for (size_t i = 0; i < BINS; i++) {
        if ((double)i * width < (double)clip) {
            inside += histogram->bins[i];
        } else {
            const double x = ((double)i + 0.5) * width - (double)clip;
            above += histogram->bins[i];
            error += (double)histogram->bins[i] * x * x;
        }
    }
    *clipped = histogram->count > 0 ? (double)above / (double)histogram->count : 0;
    return error + (double)inside * step * step / 12; /* rounding; zeros are exact */
}

/* The percentile of this share, as the upper end of its bin. */
static float find_share(const struct vgg_histogram *histogram, double share)
{
    const uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count);
    uint64_t below = histogram->zeros;
    for (size_t i = 0; i < BINS; i++) {
        below += histogram->bins[i];
        if (below >= wanted && histogram->bins[i] > 0) {
            return (float)(((double)i + 1) * histogram->top / BINS);
        }
    }
    return histogram->largest;
}

static float find_min_error(const struct vgg_histogram *histogram)
{
    float best = histogram->largest;
    double clipped, min = vgg_histogram_error(histogram, best, &clipped);
    for (int i = 1; i < CLIPS_TRIED; i++) {
        const float clip = histogram->largest * (float)i / CLIPS_TRIED;
        const double error = vgg_histogram_error(histogram, clip, &clipped);
        if (error < min) {
            min = error;
            best = clip;
        }
    }
    return best;
}

float vgg_histogram_clip(const struct vgg_histogram *histogram, enum vgg_clip clip)
{
    float found = histogram->largest;
    switch (clip) {
    case VGG_CLIP_MIN_MAX:
        break;
    case VGG_CLIP_99_999:
        found = find_share(histogram, 0.99999);
        break;
    case VGG_CLIP_99_99:
        found = find_share(histogram, 0.9999);
        break;
    case VGG_CLIP_99_9:
        found = find_share(histogram, 0.999);
        break;
    case VGG_CLIP_MSE:
        found = find_min_error(histogram);
        break;
    }
    found = found < histogram->largest ? found : histogram->largest;
    return found > 0 ? found : 1; /* only zeros: any scale is exact */
}

const char *vgg_clip_string(enum vgg_clip clip)
{
    static const char *const names[] = {"min-max", "99.999 %", "99.99 %", "99.9 %", "mse"};
    return (unsigned)clip < sizeof names / sizeof names[0] ? names[clip] : "unknown";
}
