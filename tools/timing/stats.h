/* SPDX-License-Identifier: MIT */
/* Statistics of repeated measurements. */
#ifndef TOOLS_TIMING_STATS_H
#define TOOLS_TIMING_STATS_H

#include <stddef.h>

struct stats {
    size_t count;
    double min, p50, p90, p99, max;
    double mean, sd; /* sd: of the sample, 0 for a single number */
    /* How well the median is known: half the width of its 95 % confidence interval over the median.
     * Order statistics, which presume nothing of the distribution; infinite below 6 numbers, which
     * are too few. */
    double median_error;
};

/* Sorts the numbers in place. count >= 1; all finite. */
void stats_compute(double *numbers, size_t count, struct stats *out);

/* The p-quantile, 0 <= p <= 1, of sorted numbers; between two of them by linear interpolation, as
 * numpy.quantile has it. count >= 1. */
double stats_get_quantile(const double *sorted, size_t count, double p);

#endif
