/* SPDX-License-Identifier: MIT */
/* Put a command into the sandbox: it can read what its options name, and write what it has opened. */
#ifndef TOOLS_COMMANDS_CONFINE_H
#define TOOLS_COMMANDS_CONFINE_H

#include "commands/options.h"
#include "vgg/status.h"

/* To be called when the outputs are open, before a byte of an input is read, while there is one thread. Warns of parts
 * that the system lacks. Errors: ARGUMENT, where --sandbox require wants them. */
vgg_status confine(const struct cli_options *options, struct vgg_error *err);

#endif
