/* On what and by what was measured: every record of a measurement carries it. */
#ifndef TOOLS_TIMING_MACHINE_H
#define TOOLS_TIMING_MACHINE_H

struct machine {
    const char
        *commit; /* of the source, "+dirty" appended to a changed one; "unknown" outside git */
    const char *compiler; /* "gcc 12.2.0" */
    char model[128];      /* what the CPU calls itself, or "unknown" */
    char governor[32];    /* of the first CPU's frequency; "" where the system does not tell */
};

void machine_describe(struct machine *out);

#endif
