/* SPDX-License-Identifier: MIT */
/* How far a long command has come: one line of standard error, where that is a terminal. */
#ifndef TOOLS_IO_PROGRESS_H
#define TOOLS_IO_PROGRESS_H

#include <stddef.h>

/* Writes "what: done of total" over the line before; nothing stays of it when all is done. */
void progress_show(const char *what, size_t done, size_t total);
/* Removes the line, so that a message can take its place. */
void progress_clear(void);

#endif
