/* SPDX-License-Identifier: MIT */
/* The description of a net: the contents of a JSON description (models/README.md) as a struct.
 *
 * It comes from a JSON text (vgg_spec_parse), or from a checkpoint's names and shapes (vgg_spec_infer), and
 * vgg_graph_build turns it into nodes. */
#ifndef VGG_MODEL_SPEC_SPEC_H
#define VGG_MODEL_SPEC_SPEC_H

#include "model/spec/spec_types.h"

/* Reads a description.
 *   json  [size]; may be freed afterwards
 * Errors: FORMAT, with the key, what was expected and what was found; UNSUPPORTED (a later schema),
 * LIMIT, MEMORY. */
vgg_status vgg_spec_parse(const struct vgg_load *load, const void *json, size_t size,
                          struct vgg_spec *out);

/* The number of convolutions and linear layers without the last one: their outputs are bytes in an int8 net. */
size_t vgg_spec_count_scales(const struct vgg_spec *spec);

#endif
