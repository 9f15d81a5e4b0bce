/* SPDX-License-Identifier: MIT */
/* The command line: arguments in, struct cli_options out; and its help. */
#ifndef TOOLS_CLI_CLI_H
#define TOOLS_CLI_CLI_H

#include <stdio.h>

#include "commands/options.h"
#include "vgg/session.h"
#include "vgg/status.h"

/* Parses argv[1…]. The first argument may name a command, else the command is classify. Options may
 * stand anywhere before "--"; the last of two equal ones counts.
 *   out  filled on success, to be freed with cli_options_fini; cleared after an error
 * Errors: ARGUMENT with what is wrong and what was probably meant; MEMORY. */
vgg_status cli_parse(int argc, char **argv, struct cli_options *out, struct vgg_error *err);
void cli_options_fini(struct cli_options *options);

/* "classify", "bench" … */
const char *cli_command_name(enum cli_command command);

struct cli_topic;

/* The help of the program, of a group of options, and of one command. */
void cli_write_help(FILE *out);
void cli_write_topic_help(const struct cli_topic *topic, FILE *out);
void cli_write_command_help(enum cli_command command, FILE *out);

#endif
