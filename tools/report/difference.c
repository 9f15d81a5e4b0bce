/* SPDX-License-Identifier: MIT */
/* How far two arrays of numbers are apart. */
#include "report/difference.h"

#include <math.h>

static double get_distance(float expected, float got)
{
    if (expected == got || (isnan(expected) && isnan(got))) {
        return 0;
    }
    if (!isfinite(expected) || !isfinite(got)) {
        return HUGE_VAL;
    }
    return fabs((double)expected - (double)got);
}

void difference_add(struct difference *difference, const float *expected, const float *got,
                    size_t count)
{
    if (difference->count == 0) {
        difference->worst = -1;
    }
    for (size_t i = 0; i < count; i++) {
        double distance = get_distance(expected[i], got[i]);
        double magnitude = fabs((double)expected[i]);
        if (isfinite(magnitude) && magnitude > difference->max_expected) {
            difference->max_expected = magnitude;
        }
        difference->sum += distance;
        difference->unequal += distance > 0;
        if (distance > difference->max) {
            difference->max = distance;
            difference->worst = difference->count + (int64_t)i;
            difference->expected = expected[i];
            difference->got = got[i];
        }
    }
    difference->count += (int64_t)count;
}

double difference_get_relative(const struct difference *difference)
{
    if (difference->max == 0) {
        return 0;
    }
    /* By zero it is infinite, which is what is meant. */
    return difference->max / difference->max_expected;
}

double difference_get_mean(const struct difference *difference)
{
    return difference->count > 0 ? difference->sum / (double)difference->count : 0;
}
