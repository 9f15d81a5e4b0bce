/* SPDX-License-Identifier: MIT */
/* How far two arrays of numbers are apart. */
#ifndef TOOLS_REPORT_DIFFERENCE_H
#define TOOLS_REPORT_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised: nothing compared yet. Two NaN are equal, and two infinities of one sign; NaN or an
 * infinity against anything else is an infinite difference. */
struct difference {
    int64_t count;       /* numbers compared */
    int64_t unequal;     /* of which this many are not equal */
    double max;          /* largest |expected - got| */
    double sum;          /* of all |expected - got| */
    double max_expected; /* largest finite |expected| */
    int64_t worst;       /* where max is: position among all that were compared; -1 when max is 0 */
    float expected, got; /* there */
};

/* Goes on with count more numbers. expected, got: [count] */
void difference_add(struct difference *difference, const float *expected, const float *got,
                    size_t count);

/* max relative to max_expected; 0 when max is 0, else infinite when nothing but zeros was expected. */
double difference_get_relative(const struct difference *difference);

double difference_get_mean(const struct difference *difference);

#endif
