/* SPDX-License-Identifier: MIT */
/* What the program can do: one function per command, which runs it and returns the exit code. Each
 * finishes its outputs. */
#ifndef TOOLS_COMMANDS_COMMANDS_H
#define TOOLS_COMMANDS_COMMANDS_H

#include "commands/outputs.h"

int command_classify(const struct cli_options *options, struct command_outputs *outputs);
int command_compare(const struct cli_options *options, struct command_outputs *outputs);
int command_bench(const struct cli_options *options, struct command_outputs *outputs);
int command_convert(const struct cli_options *options);
int command_pack(const struct cli_options *options);
int command_eval(const struct cli_options *options, struct command_outputs *outputs);
int command_scan(const struct cli_options *options, struct command_outputs *outputs);
int command_info(const struct cli_options *options, struct command_outputs *outputs);

#endif
