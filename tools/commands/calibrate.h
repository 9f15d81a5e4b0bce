/* SPDX-License-Identifier: MIT */
/* Calibrate and write an int8 net. */
#ifndef TOOLS_COMMANDS_CALIBRATE_H
#define TOOLS_COMMANDS_CALIBRATE_H

#include "commands/net.h"

/* Calibrates with the images that the options name, writes the packed file, then a report to standard output.
 * Shows progress if standard error is a terminal.
 * Errors: IO (no image in the folder, a file cannot be written), and those of the quantizer. */
vgg_status calibrate_and_pack(const struct net *net, const struct cli_options *options,
                              struct vgg_error *err);

#endif
