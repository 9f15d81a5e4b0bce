/* SPDX-License-Identifier: MIT */
/* The files that the options of a command name for writing. */
#ifndef TOOLS_COMMANDS_OUTPUTS_H
#define TOOLS_COMMANDS_OUTPUTS_H

#include "commands/options.h"
#include "io/output.h"

/* Those that the command itself writes. What the library writes (pack, convert, --write-spec) it opens, too. */
struct command_outputs {
    struct outputs all;
    struct output results; /* standard output without -o */
    struct output logits, input, plot;
};

/* Checks that no output is an input or another output, and opens those above.
 *   out  must stay where it is until outputs_finish, which is called in any case
 * Errors: ARGUMENT, and those of outputs_add. */
vgg_status command_outputs_open(const struct cli_options *options, struct command_outputs *out,
                                struct vgg_error *err);

#endif
