/* SPDX-License-Identifier: MIT */
/* The files that the library may read because they stand beside a checkpoint. */
#ifndef TOOLS_IO_SIDE_FILES_H
#define TOOLS_IO_SIDE_FILES_H

#include "vgg/status.h"

/* Which files of a folder may be shards, that an index names as it likes. */
enum side_shards {
    SIDE_SHARDS_USUAL, /* those named as shards are */
    SIDE_SHARDS_ANY,   /* all */
};

typedef vgg_status side_file_fn(void *user, const char *path);

/* Calls fn for each that is there: the description, config.json, preprocessor_config.json, and the shards and the index
 * of a checkpoint of several files. Stops at an error, which it returns. */
vgg_status side_files_each(const char *model, enum side_shards shards, side_file_fn *fn,
                           void *user);

#endif
