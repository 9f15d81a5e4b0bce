/* SPDX-License-Identifier: MIT */
/* Writes the preprocessing in a description. */
#ifndef VGG_MODEL_SPEC_WRITE_PREPROCESS_H
#define VGG_MODEL_SPEC_WRITE_PREPROCESS_H

#include "base/bytes.h"
#include "vgg/preprocess.h"

/* Appends the JSON value that vgg_spec_read_preprocess reads as the same: a preset's name, or an object. */
void vgg_spec_write_preprocess(const struct vgg_preprocess *preprocess, struct vgg_bytes *json);

#endif
