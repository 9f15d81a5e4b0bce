/* SPDX-License-Identifier: MIT */
/* The files that the library may read because they stand beside a checkpoint. */
#ifndef TOOLS_IO_SIDE_FILES_H
#define TOOLS_IO_SIDE_FILES_H

#include "vgg/status.h"

typedef vgg_status side_file_fn(void *user, const char *path);

/* Calls fn for each that is there: the description, config.json, preprocessor_config.json, and the shards and the index
 * of a checkpoint of several files. Stops at an error, which it returns. */
vgg_status side_files_each(const char *model, side_file_fn *fn, void *user);

#endif
