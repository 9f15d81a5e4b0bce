/* SPDX-License-Identifier: MIT */
/* Reads the layers of a description. */
#ifndef VGG_MODEL_SPEC_READ_LAYERS_H
#define VGG_MODEL_SPEC_READ_LAYERS_H

#include "base/json.h"
#include "base/load.h"
#include "model/spec/spec_types.h"

/* The keys of a description that make its layers. */
struct vgg_layer_keys {
    /* `layers` is the whole net when there is no `classifier`, else torchvision's `features`. */
    const struct vgg_json *layers;
    /* NULL: absent. */
    const struct vgg_json *classifier;
    /* Defaults of the short form. */
    bool batch_norm, dropout;
    /* Side of the average pool's output. */
    int avgpool;
    /* The order of features after Flatten; NULL: absent. Only of the short form. */
    const char *flatten;
};

/* Fills spec->layers, and their names where the description or torchvision's Sequentials give them.
 * Errors: FORMAT, LIMIT, MEMORY. */
vgg_status vgg_spec_read_layers(const struct vgg_load *load, const struct vgg_layer_keys *keys,
                                struct vgg_spec *spec);

#endif
