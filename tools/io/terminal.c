/* SPDX-License-Identifier: MIT */
/* Style of text on a terminal. */
#include "io/terminal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_style(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    const int fd = fileno(out); /* -1 of a stream in memory */
    return (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0) && fd >= 0 && isatty(fd) == 1;
}

void terminal_begin_bold(FILE *out)
{
    if (has_style(out)) {
        fputs("\033[1m", out);
    }
}

void terminal_end_bold(FILE *out)
{
    if (has_style(out)) {
        fputs("\033[0m", out);
    }
}
