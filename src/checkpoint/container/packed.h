/* SPDX-License-Identifier: MIT */
/* The packed container, the files of vgg_model_pack; packed_format.h describes them. */
#ifndef VGG_CHECKPOINT_CONTAINER_PACKED_H
#define VGG_CHECKPOINT_CONTAINER_PACKED_H

#include "checkpoint/container/archive.h"

/* Whether the file begins with the magic number. */
bool vgg_packed_is(const struct vgg_archive *archive);
/* Always succeeds; errors are found by `read`. */
vgg_status vgg_packed_open(struct vgg_archive *archive);
/* Compares every CRC and checks all padding; counts in *out. */
vgg_status vgg_packed_verify(const struct vgg_archive *archive, struct vgg_verified *out);

#endif
