/* SPDX-License-Identifier: MIT */
/* The legacy stream: torch.save from 0.1.10 to 1.5. */
#ifndef VGG_CHECKPOINT_CONTAINER_LEGACY_H
#define VGG_CHECKPOINT_CONTAINER_LEGACY_H

#include "checkpoint/container/archive.h"

/* Whether the file begins with the legacy stream's magic number. Errors: MEMORY. */
vgg_status vgg_legacy_is(const struct vgg_archive *archive, bool *out);
/* Succeeds or leaves nothing to close. Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_legacy_open(struct vgg_archive *archive);

#endif
