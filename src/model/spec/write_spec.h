/* SPDX-License-Identifier: MIT */
/* Writes the description of a net as JSON. */
#ifndef VGG_MODEL_SPEC_WRITE_SPEC_H
#define VGG_MODEL_SPEC_WRITE_SPEC_H

#include "base/bytes.h"
#include "model/spec/spec.h"

enum vgg_spec_form {
    /* One line, for packed files, with what is assumed of the net. */
    VGG_SPEC_COMPACT,
    /* A line for each key and layer, for people, who confirm what was assumed by using it. */
    VGG_SPEC_LINES,
};

/* Appends the JSON that vgg_spec_parse reads as the same net, with every default written out. Published figures
 * of the weights are left out. */
void vgg_spec_write(const struct vgg_spec *spec, enum vgg_spec_form form, struct vgg_bytes *json);

#endif
