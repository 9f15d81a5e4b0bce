/* SPDX-License-Identifier: MIT */
/* Writes the assumptions in a description. */
#ifndef VGG_MODEL_SPEC_WRITE_ASSUMED_H
#define VGG_MODEL_SPEC_WRITE_ASSUMED_H

#include "base/bytes.h"
#include "model/spec/spec_types.h"

/* Appends what vgg_spec_read_assumed reads, as further keys of the object; nothing where nothing is assumed. */
void vgg_spec_write_assumed(const struct vgg_spec *spec, struct vgg_bytes *json);

#endif
