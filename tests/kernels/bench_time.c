/* SPDX-License-Identifier: MIT */
/* Timing one call. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

enum { RUNS = 7 };

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_time_calls(void (*fn)(const void *), const void *context)
{
    double seconds[RUNS];
    fn(context);
    for (int i = 0; i < RUNS; i++) {
        const double start = bench_now();
        fn(context);
        seconds[i] = bench_now() - start;
    }
    qsort(seconds, RUNS, sizeof *seconds, compare_doubles);
    return seconds[RUNS / 2];
}
