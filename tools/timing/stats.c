/* SPDX-License-Identifier: MIT */
/* Statistics of repeated measurements. */
#include "timing/stats.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST_TO_TELL = 6 }; /* both extremes of 5 hold the median with less than 95 % */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_get_quantile(const double *sorted, size_t count, double p)
{
    const double position = p * (double)(count - 1);
    const size_t below = (size_t)position;
    if (below + 1 >= count) {
        return sorted[count - 1];
    }
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* The number of values below the median is binomial: its normal approximation gives the ranks. */
static double get_median_error(const double *sorted, size_t count, double median)
{
    if (count < FEWEST_TO_TELL || median <= 0) {
        return HUGE_VAL;
    }
    const double reach = 0.98 * sqrt((double)count);
    const double low = floor((double)count / 2 - reach), high = ceil((double)count / 2 + reach);
    const size_t first = low < 0 ? 0 : (size_t)low;
    const size_t last = high > (double)(count - 1) ? count - 1 : (size_t)high;
    return (sorted[last] - sorted[first]) / 2 / median;
}

void stats_compute(double *numbers, size_t count, struct stats *out)
{
    double sum = 0, squares = 0;
    qsort(numbers, count, sizeof *numbers, compare_doubles);
    for (size_t i = 0; i < count; i++) {
        sum += numbers[i];
    }
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) {
        squares += (numbers[i] - mean) * (numbers[i] - mean);
    }
    *out = (struct stats){
        .count = count,
        .min = numbers[0],
        .p50 = stats_get_quantile(numbers, count, 0.5),
        .p90 = stats_get_quantile(numbers, count, 0.9),
        .p99 = stats_get_quantile(numbers, count, 0.99),
        .max = numbers[count - 1],
        .mean = mean,
        .sd = count > 1 ? sqrt(squares / (double)(count - 1)) : 0,
    };
    out->median_error = get_median_error(numbers, count, out->p50);
}
