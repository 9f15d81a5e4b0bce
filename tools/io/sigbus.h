/* A checkpoint whose file is shortened while it is mapped: an explanation instead of a bare SIGBUS. */
#ifndef TOOLS_IO_SIGBUS_H
#define TOOLS_IO_SIGBUS_H

#include "vgg/checkpoint.h"

/* From here on SIGBUS is taken for the checkpoint's that is being opened. One guard at a time. */
void sigbus_begin(const char *path);
/* It is open: only faults in its pages are its own, others go where they went before. */
void sigbus_watch(const vgg_checkpoint *checkpoint);
/* To be called before the checkpoint is closed; without sigbus_begin nothing happens. */
void sigbus_end(void);

#endif
