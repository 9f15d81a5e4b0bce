/* SPDX-License-Identifier: MIT */
/* The files that a command writes. Each replaces another file in one step at the end, or nothing changes.
 *
 * Giving a file its name needs the right to rename files, which a process that has read untrusted bytes should not have.
 * Another process does it, a copy of this one from before the first such byte: it waits for one byte from here, knows
 * which names to give, and can do nothing else for this process. */
#ifndef TOOLS_IO_OUTPUT_H
#define TOOLS_IO_OUTPUT_H

#include <stdio.h>

#include "vgg/file.h"

/* Cleared: not asked for. */
struct output {
    const char *path; /* borrowed; NULL: standard output */
    FILE *file;
    vgg_output *target; /* NULL: standard output */
};

enum { OUTPUTS_MAX = 4 };

struct outputs {
    struct output *items[OUTPUTS_MAX]; /* [count] those that are files; borrowed */
    int count;
    int to_helper, from_helper; /* descriptors of pipes; -1: this process gives the names */
};

/* Opens a file, or standard output if path is NULL. Errors: those of vgg_output_open.
 *   out  must stay where it is until outputs_finish */
vgg_status outputs_add(struct outputs *outputs, const char *path, enum vgg_output_use use,
                       struct output *out, struct vgg_error *err);
/* Starts the other process, if there is a file that needs it. To be called while there is one thread. Errors: IO. */
vgg_status outputs_start_helper(struct outputs *outputs, struct vgg_error *err);
/* Closes all. With status OK each file gets its name. Otherwise those in place of others are removed.
 * Returns the status, or the first error of writing. */
vgg_status outputs_finish(struct outputs *outputs, vgg_status status, struct vgg_error *err);

#endif
