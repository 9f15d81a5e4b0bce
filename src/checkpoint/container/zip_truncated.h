/* SPDX-License-Identifier: MIT */
/* The report of a zip archive that lost its end. */
#ifndef VGG_CHECKPOINT_CONTAINER_ZIP_TRUNCATED_H
#define VGG_CHECKPOINT_CONTAINER_ZIP_TRUNCATED_H

#include "checkpoint/container/archive.h"

/* Reports an archive without its end, with the size it should have when its first member is a pickle
 * that says so: FORMAT. */
vgg_status vgg_zip_fail_truncated(const struct vgg_archive *archive);

#endif
