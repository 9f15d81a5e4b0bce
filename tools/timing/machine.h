/* SPDX-License-Identifier: MIT */
/* The machine and the build that a record of a benchmark comes from. */
#ifndef TOOLS_TIMING_MACHINE_H
#define TOOLS_TIMING_MACHINE_H

struct machine {
    /* Of the source; "+dirty" is appended to a changed one; "unknown" outside git. */
    const char *commit;
    const char *compiler; /* "gcc 12.2.0" */
    char model[128];      /* the CPU's name for itself, or "unknown" */
    char governor[32];    /* of the first CPU's frequency; "" if unknown */
};

void machine_describe(struct machine *out);

#endif
