/* How far a long command has come. */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_show(const char *what, size_t done, size_t total)
{
    if (isatty(STDERR_FILENO) != 1) {
        return;
    }
    fprintf(stderr, "\r%s: %zu of %zu ", what, done, total);
    if (done == total) {
        progress_clear();
    }
    fflush(stderr);
}

void progress_clear(void)
{
    if (isatty(STDERR_FILENO) == 1) {
        fputs("\r\033[K", stderr);
    }
}
