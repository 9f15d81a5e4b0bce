/* SPDX-License-Identifier: MIT */
/* Style of text on a terminal. */
#ifndef TOOLS_IO_TERMINAL_H
#define TOOLS_IO_TERMINAL_H

#include <stdio.h>

/* Starts and ends bold text. Nothing is written where out is no terminal, or the environment has a NO_COLOR that
 * is not empty (https://no-color.org) or TERM=dumb. */
void terminal_begin_bold(FILE *out);
void terminal_end_bold(FILE *out);

#endif
