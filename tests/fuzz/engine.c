/* SPDX-License-Identifier: MIT */
/* Between libFuzzer, or replay.c, and a target. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "fuzz.h"

/* CPU time that one input may take. libFuzzer's own timeout counts the time that the process was stopped,
 * too. */
enum { SECONDS_MAX = 5 };

void fuzz_check(bool condition, const char *promise)
{
    if (!condition) {
        fprintf(stderr, "broken promise: %s\n", promise);
        abort();
    }
}

static void limit_time(time_t seconds)
{
    const struct itimerval limit = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* SIGVTALRM, which nobody else uses: by default it ends the process, here libFuzzer keeps the input. */
static void on_timeout(int signal)
{
    (void)signal;
    abort();
}

static void run(const uint8_t *data, size_t size)
{
    static bool prepacked;
    if (!prepacked) {
        prepacked = signal(SIGVTALRM, on_timeout) != SIG_ERR;
    }
    limit_time(SECONDS_MAX);
    (void)fuzz_one(data, size);
    limit_time(0);
}

#ifdef FUZZ_FAULT
enum { TAIL_BYTES = 2, ALLOCATIONS_MAX = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < TAIL_BYTES) {
        return 0;
    }
    size -= TAIL_BYTES;
    fault_arm((data[size] | data[size + 1] << 8) % ALLOCATIONS_MAX);
    run(data, size);
    fault_disarm();
    return 0;
}
#else
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size);
    return 0;
}
#endif
