/* SPDX-License-Identifier: MIT */
/* Reports files that are not checkpoints: what they are, and what to do. */
#ifndef VGG_CHECKPOINT_CONTAINER_FOREIGN_H
#define VGG_CHECKPOINT_CONTAINER_FOREIGN_H

#include "checkpoint/container/zip_directory.h"

/* Reports a file that is not a checkpoint, by its first bytes: UNSUPPORTED. */
vgg_status vgg_foreign_fail(const struct vgg_archive *archive);

/* Reports a zip archive without FOLDER/data.pkl, by the members that it has. */
vgg_status vgg_foreign_fail_zip(const struct vgg_archive *archive,
                                const struct vgg_zip_directory *directory);

#endif
