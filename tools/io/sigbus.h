/* SPDX-License-Identifier: MIT */
/* Print a message and exit when a mapped checkpoint is shortened, instead of dying of SIGBUS. */
#ifndef TOOLS_IO_SIGBUS_H
#define TOOLS_IO_SIGBUS_H

#include "vgg/checkpoint.h"

/* From now on SIGBUS is attributed to the checkpoint that is being opened. One checkpoint at a time. */
void sigbus_begin(const char *path);
/* The checkpoint is open: only faults in its pages are handled, others go to the handler before. */
void sigbus_watch(const vgg_checkpoint *checkpoint);
/* To be called before the checkpoint is closed; without sigbus_begin nothing happens. */
void sigbus_end(void);

#endif
