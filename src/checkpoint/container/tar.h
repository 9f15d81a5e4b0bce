/* SPDX-License-Identifier: MIT */
/* The tar container: torch.save before 0.1.10. */
#ifndef VGG_CHECKPOINT_CONTAINER_TAR_H
#define VGG_CHECKPOINT_CONTAINER_TAR_H

#include "checkpoint/container/archive.h"

/* Succeeds or leaves nothing to close. Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_tar_open(struct vgg_archive *archive);

#endif
