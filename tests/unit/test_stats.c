/* SPDX-License-Identifier: MIT */
/* tools/stats: quantiles as NumPy's, and how well a median is known. */
#include "unit.h"

#include <math.h>

#include "timing/stats.h"

#define NEAR 1e-12

START_TEST(interpolates_quantiles)
{
    const double sorted[] = {1, 2, 4, 8, 16};
    ck_assert_double_eq(stats_get_quantile(sorted, 5, 0), 1);
    ck_assert_double_eq(stats_get_quantile(sorted, 5, 0.5), 4);
    ck_assert_double_eq_tol(stats_get_quantile(sorted, 5, 0.9), 12.8, NEAR);
    ck_assert_double_eq_tol(stats_get_quantile(sorted, 5, 0.99), 15.68, NEAR);
    ck_assert_double_eq(stats_get_quantile(sorted, 5, 1), 16);
    ck_assert_double_eq(stats_get_quantile(sorted, 1, 0.9), 1);
}
END_TEST

START_TEST(sums_up)
{
    double numbers[] = {5, 1, 3, 2, 4};
    struct stats stats;
    stats_compute(numbers, 5, &stats);
    ck_assert_uint_eq(stats.count, 5);
    ck_assert_double_eq(stats.min, 1);
    ck_assert_double_eq(stats.max, 5);
    ck_assert_double_eq(stats.p50, 3);
    ck_assert_double_eq(stats.mean, 3);
    ck_assert_double_eq_tol(stats.sd, sqrt(2.5), NEAR);
    ck_assert(isinf(stats.median_error));
    ck_assert_double_eq(numbers[0], 1);
}
END_TEST

START_TEST(takes_a_single_number)
{
    double number = 7;
    struct stats stats;
    stats_compute(&number, 1, &stats);
    ck_assert_double_eq(stats.p50, 7);
    ck_assert_double_eq(stats.p99, 7);
    ck_assert_double_eq(stats.sd, 0);
}
END_TEST

/* The interval of the median narrows with the root of the count, and outliers do not widen it. */
START_TEST(knows_how_well_it_knows_the_median)
{
    double numbers[1000];
    struct stats few, many;
    for (int i = 0; i < 1000; i++) {
        numbers[i] = 100 + (i * 7919 % 1000) / 1000.0;
    }
    stats_compute(numbers, 40, &few);
    for (int i = 0; i < 1000; i++) {
        numbers[i] = 100 + (i * 7919 % 1000) / 1000.0;
    }
    numbers[0] = numbers[1] = 1e9;
    stats_compute(numbers, 1000, &many);
    ck_assert_double_lt(many.median_error, few.median_error / 3);
    ck_assert_double_lt(many.median_error, 1e-3);
    ck_assert_double_gt(many.median_error, 1e-4);
    for (int i = 0; i < 6; i++) {
        numbers[i] = 2;
    }
    stats_compute(numbers, 6, &few);
    ck_assert_double_eq(few.median_error, 0);
}
END_TEST

UNIT_MAIN("stats", interpolates_quantiles, sums_up, takes_a_single_number,
          knows_how_well_it_knows_the_median)
