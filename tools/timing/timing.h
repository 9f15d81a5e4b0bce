/* SPDX-License-Identifier: MIT */
/* Times of the steps and memory of the process. */
#ifndef TOOLS_TIMING_TIMING_H
#define TOOLS_TIMING_TIMING_H

#include <stdint.h>

struct timing {
    double load_ms;      /* open the checkpoint, make the model */
    double prepack_ms;   /* make the session, and prepack weights, in one-shot runs too */
    double decode_ms;    /* decode and preprocess, all images */
    double infer_ms;     /* run the net, all images */
    int images;          /* images that were run */
    uint64_t peak_bytes; /* resident, mapped files included */
    /* Anonymous memory of this process: the maximum of the samples, since the system records no peak of it. 0 when
     * unknown. */
    uint64_t peak_private_bytes;
};

/* Milliseconds of a clock that only goes forward. */
double timing_now_ms(void);

/* Adds the time since *start_ms to *sum_ms and sets *start_ms to now. */
void timing_lap(double *start_ms, double *sum_ms);

/* Gives what was freed back to the system and resets the resident peak, if the system allows it, so
 * that the next sample is of what follows. */
void timing_reset_memory(void);
/* Opens what that needs, so that it works where no file can be opened for writing any more. */
void timing_keep_memory_reset(void);

/* Brings the peaks up to date. */
void timing_sample_memory(struct timing *timing);

#endif
