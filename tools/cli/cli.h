/* The command line: arguments in, struct cli_options out; and its help. */
#ifndef TOOLS_CLI_CLI_H
#define TOOLS_CLI_CLI_H

#include <stdio.h>

#include "commands/options.h"
#include "vgg/session.h"
#include "vgg/status.h"

/* Parses argv[1…]. A first word that is a command's name is that command; all else classifies. Options
 * may stand anywhere before "--"; the last of two equal ones counts.
 *   out  filled on success, to be freed with cli_options_fini; cleared after an error
 * Errors: ARGUMENT with what is wrong and what was probably meant; MEMORY. */
vgg_status cli_parse(int argc, char **argv, struct cli_options *out, struct vgg_error *err);
void cli_options_fini(struct cli_options *options);

/* The word that stands for a command; "" for the one without. */
const char *cli_command_name(enum cli_command command);

/* Writes the help text of one command, made of the option table. */
void cli_write_help(enum cli_command command, FILE *out);

#endif
