/* SPDX-License-Identifier: MIT */
/* A list of layers that grows, and what follows from one: sizes, names, number of classes. */
#ifndef VGG_MODEL_SPEC_LAYERS_H
#define VGG_MODEL_SPEC_LAYERS_H

#include "base/load.h"
#include "model/spec/spec_types.h"

struct vgg_layer_list {
    struct vgg_layer *items;
    size_t count, max;
};

/* Appends a layer whose settings are all 0. The list may move: the pointer is valid until the next call.
 *   name  borrowed; NULL: not named yet
 * Returns NULL without memory or when the list would be longer than load->limits->layers allows. */
struct vgg_layer *vgg_layers_add(const struct vgg_load *load, struct vgg_layer_list *list,
                                 enum vgg_layer_kind kind, const char *name);

/* LIMIT or MEMORY: why vgg_layers_add returned NULL. */
vgg_status vgg_layers_fail(const struct vgg_load *load, const struct vgg_layer_list *list);

/* Replaces the shape of a layer's input by that of its output. A size of 0 is unknown and stays so, unless the layer
 * makes one of its own.
 * Returns false if the layer cannot take the input: other channels, too small an image, features of an unknown
 * image. */
bool vgg_layer_move(const struct vgg_layer *layer, struct vgg_shape *shape);

/* Whether two layers compute the same, whatever they are called. */
bool vgg_layer_equals(const struct vgg_layer *a, const struct vgg_layer *b);

/* The channels of the input: those of the first layer that shows them; 3 if none does. */
int vgg_spec_find_channels(const struct vgg_spec *spec);

/* Fills in the input channels of convolutions, the channels of BatchNorm and the input features of linear layers,
 * where they are 0, from the layers before them.
 * Errors: FORMAT with the first layer that cannot follow the one before it, LIMIT. */
vgg_status vgg_layers_connect(const struct vgg_load *load, struct vgg_spec *spec);

/* Gives names to the layers that have none: convolutions and linear layers "conv1", "fc1", others after the layer
 * with weights before them ("conv1.relu") or by their kind ("pool1"). Errors: MEMORY. */
vgg_status vgg_layers_name(const struct vgg_load *load, struct vgg_spec *spec);

#endif
