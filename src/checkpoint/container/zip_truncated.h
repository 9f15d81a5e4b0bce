/* SPDX-License-Identifier: MIT */
/* Reports a truncated zip archive. */
#ifndef VGG_CHECKPOINT_CONTAINER_ZIP_TRUNCATED_H
#define VGG_CHECKPOINT_CONTAINER_ZIP_TRUNCATED_H

#include "checkpoint/container/archive.h"

/* Reports an archive without its end, with the size it should have if its first member is a pickle: FORMAT. */
vgg_status vgg_zip_fail_truncated(const struct vgg_archive *archive);

#endif
