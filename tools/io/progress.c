/* SPDX-License-Identifier: MIT */
/* How far a long command has come. */
#include "io/progress.h"

#include <unistd.h>

#include "message.h"

void progress_show(const char *what, size_t done, size_t total)
{
    if (isatty(STDERR_FILENO) == 1) {
        message_print_raw("\r%s: %zu of %zu %s", what, done, total,
                          done == total ? "\r\033[K" : "");
    }
}

void progress_clear(void)
{
    if (isatty(STDERR_FILENO) == 1) {
        message_print_raw("\r\033[K");
    }
}
