/* SPDX-License-Identifier: MIT */
/* Reports what a file is that is not a checkpoint, and what to do about it. */
#ifndef VGG_CHECKPOINT_CONTAINER_FOREIGN_H
#define VGG_CHECKPOINT_CONTAINER_FOREIGN_H

#include "checkpoint/container/zip_directory.h"

/* Reports a file that is not a checkpoint, by its first bytes: UNSUPPORTED. */
vgg_status vgg_foreign_fail(const struct vgg_archive *archive);

/* Reports a zip archive that has no FOLDER/data.pkl, by what it has instead. */
vgg_status vgg_foreign_fail_zip(const struct vgg_archive *archive,
                                const struct vgg_zip_directory *directory);

#endif
