/* SPDX-License-Identifier: MIT */
/* Time one configuration of a net: a session from its creation to its end, every run of it. */
#ifndef TOOLS_TIMING_MEASURE_H
#define TOOLS_TIMING_MEASURE_H

#include <stdbool.h>

#include "timing/stats.h"
#include "timing/timing.h"
#include "vgg/session.h"

/* What to time. */
struct measure_options {
    int threads, batch;
    enum vgg_isa isa;
    enum vgg_conv_algorithm conv;
    bool one_shot, low_memory;
    int channels, height, width;
    const float
        *image; /* [channels][height][width], the same for the whole batch; NULL: random numbers */
    int runs;   /* number of runs; 0: until the median is stable */
    double min_ms, max_ms; /* if runs is 0: min time of the timed runs, max time of everything */
    /* NULL, or called now and then with the number of runs done. */
    void (*progress)(void *user, size_t runs);
    void *user;
};

/* One step of the plan and its times, means over the middle quarter of the runs. */
struct measure_step {
    struct vgg_step_info info; /* its strings are borrowed from the session */
    double ms;
    double prepack_ms; /* its weights: once, or in each run of a one-shot session, and not in ms */
};

struct measurement {
    vgg_session *session; /* owned */
    bool one_shot;        /* every run prepacks the weights */
    struct vgg_session_info info;
    struct timing timing;       /* prepack_ms, and the memory of this configuration */
    double first_ms;            /* the first run */
    struct stats run;           /* milliseconds of a run of the whole batch */
    bool stable;                /* the median is known to 1 % */
    struct vgg_peak begin, end; /* measured before and after the runs */
    struct measure_step *steps; /* [step_count], in the order of the net */
    size_t step_count;
};

/* Errors: those of vgg_session_create; MEMORY. *out is to be freed in any case. */
vgg_status measure_run(const vgg_model *model, const struct measure_options *options,
                       struct measurement *out, struct vgg_error *err);
void measurement_free(struct measurement *measurement);

/* The better of both measurements. */
struct vgg_peak measurement_get_peak(const struct measurement *measurement);
/* Whether both measurements differ by more than 5 %: the machine's speed changed meanwhile. */
bool measurement_has_drifted(const struct measurement *measurement);

/* Milliseconds that a step's products take at peak FLOP/s. */
double measure_get_product_ms(const struct vgg_step_info *info, const struct vgg_peak *peak);
/* Roofline: milliseconds that a step's products take at peak FLOP/s or, if it is fully connected, its weights
 * at peak bandwidth, whichever is longer. 0 for steps without products. */
double measure_get_roofline_ms(const struct vgg_step_info *info, const struct vgg_peak *peak);
/* Whether bandwidth bounds a step. */
bool measure_is_read_bound(const struct vgg_step_info *info, const struct vgg_peak *peak);

/* Sums over all steps. */
struct measure_total {
    double ms;
    double prepack_ms;
    double run_ms; /* ms, and the prepacking in each run */
    double multiply_adds, products;
    double product_ms, roofline_ms, predicted_ms;
    double predicted_steps_ms; /* measured, of the steps that have a prediction */
    uint64_t weight_bytes, read_bytes, activation_bytes;
};
struct measure_total measurement_sum(const struct measurement *measurement);

#endif
