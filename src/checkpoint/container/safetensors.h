/* SPDX-License-Identifier: MIT */
/* The safetensors container. */
#ifndef VGG_CHECKPOINT_CONTAINER_SAFETENSORS_H
#define VGG_CHECKPOINT_CONTAINER_SAFETENSORS_H

#include "checkpoint/container/archive.h"

/* Whether the file has a JSON object at byte 8. */
bool vgg_safetensors_is(const struct vgg_archive *archive);
/* Succeeds or leaves nothing to close. Errors: FORMAT, LIMIT. */
vgg_status vgg_safetensors_open(struct vgg_archive *archive);

#endif
