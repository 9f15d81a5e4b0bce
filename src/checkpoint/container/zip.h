/* SPDX-License-Identifier: MIT */
/* The zip container: torch.save since 1.6, and TorchScript archives. */
#ifndef VGG_CHECKPOINT_CONTAINER_ZIP_H
#define VGG_CHECKPOINT_CONTAINER_ZIP_H

#include "checkpoint/container/archive.h"

/* Succeeds or leaves nothing to close. Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_zip_open(struct vgg_archive *archive);
/* Compares the CRC of every member that has one; counts them in *out. */
vgg_status vgg_zip_verify(const struct vgg_archive *archive, struct vgg_verified *out);

#endif
