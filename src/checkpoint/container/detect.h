/* SPDX-License-Identifier: MIT */
/* The choice of the container that reads a file. */
#ifndef VGG_CHECKPOINT_CONTAINER_DETECT_H
#define VGG_CHECKPOINT_CONTAINER_DETECT_H

#include "checkpoint/container/archive.h"

/* Recognises the file by its content and opens it. The caller sets load and file. The messages of FORMAT and
 * UNSUPPORTED say what the file is instead. */
vgg_status vgg_archive_open(struct vgg_archive *archive);

#endif
