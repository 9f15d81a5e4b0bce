/* SPDX-License-Identifier: MIT */
/* What the benchmarks share. */
#ifndef VGG_TESTS_KERNELS_BENCH_H
#define VGG_TESTS_KERNELS_BENCH_H

#include "check.h"

/* Seconds of a monotonic clock. */
double bench_now(void);
/* Median seconds of one call of fn, after one to warm up. */
double bench_time_calls(void (*fn)(const void *), const void *context);

/* `count` numbers -1 … 1, aligned, to be freed; ends the program if memory runs out. */
float *bench_numbers(size_t count);

/* Winograd convolution of VGG-16's layers, stage by stage. `peak` in GFLOP/s. */
void bench_winograd(const struct vgg_kernels *kernels, double peak);

#endif
