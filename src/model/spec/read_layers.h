/* SPDX-License-Identifier: MIT */
/* Reads the layers of a description: its keys `layers` and `classifier`. */
#ifndef VGG_MODEL_SPEC_READ_LAYERS_H
#define VGG_MODEL_SPEC_READ_LAYERS_H

#include "model/spec/fields.h"
#include "model/spec/spec_types.h"

/* Reads spec->layers and layer_count.
 *   batch_norm  whether convolutions have BatchNorm when their entry does not specify it
 * Errors: FORMAT, LIMIT, MEMORY. */
vgg_status vgg_spec_read_layers(const struct vgg_load *load, const struct vgg_json *list,
                                bool batch_norm, struct vgg_spec *spec);

/* Reads spec->head and head_count.
 *   dropout  whether Dropout follows each ReLU, so that indices are three apart
 * Errors: FORMAT, LIMIT, MEMORY. */
vgg_status vgg_spec_read_classifier(const struct vgg_load *load, const struct vgg_json *list,
                                    bool dropout, struct vgg_spec *spec);

#endif
