/* SPDX-License-Identifier: MIT */
/* Completions for shells, made of the option table. */
#ifndef TOOLS_CLI_COMPLETION_H
#define TOOLS_CLI_COMPLETION_H

#include <stdio.h>

#include "cli/cli.h"

/* Writes the script that a shell sources to complete the arguments of vgg-infer. */
void completion_write(enum cli_shell shell, FILE *out);

#endif
