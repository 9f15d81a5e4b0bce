/* SPDX-License-Identifier: MIT */
/* Times of the steps and memory of the process. */
#include "timing/timing.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

double timing_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void timing_lap(double *start_ms, double *sum_ms)
{
    double now = timing_now_ms();
    *sum_ms += now - *start_ms;
    *start_ms = now;
}

static int clear_refs = -1;

void timing_keep_memory_reset(void)
{
    clear_refs = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
}

void timing_reset_memory(void)
{
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
    if (clear_refs < 0) {
        timing_keep_memory_reset();
    }
    if (clear_refs >= 0) {
        (void)!write(clear_refs, "5", 1);
    }
}

void timing_sample_memory(struct timing *timing)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) {
        return;
    }
    char line[256];
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long long kib;
        if (sscanf(line, "VmHWM: %llu kB", &kib) == 1) {
            timing->peak_bytes = kib * 1024;
        } else if (sscanf(line, "RssAnon: %llu kB", &kib) == 1 &&
                   kib * 1024 > timing->peak_private_bytes) {
            timing->peak_private_bytes = kib * 1024;
        }
    }
    fclose(file);
}
