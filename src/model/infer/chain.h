/* SPDX-License-Identifier: MIT */
/* Finds the chain of layers in a checkpoint whose layers do not lie in `features` and `classifier`.
 *
 * Layers may have any names (conv1_1 … fc8) or be spread over several Sequentials (block1, block2 …, layer1 …
 * layer13). Convolutions and linear layers are then taken in the order of the file, or, where the file is sorted
 * alphabetically, in the order of the numbers in their names. The order is accepted if each layer takes the
 * output of the layer before it. */
#ifndef VGG_MODEL_INFER_CHAIN_H
#define VGG_MODEL_INFER_CHAIN_H

#include "base/load.h"
#include "model/graph/tensors.h"

/* A convolution or linear layer, and the BatchNorm after it. */
struct vgg_chain_layer {
    /* The module's name: "block1.0". */
    const char *name;
    const struct vgg_tensor *weight;
    /* The BatchNorm module's name; NULL: there is none. */
    const char *norm;
};

struct vgg_chain {
    /* In order of execution. */
    struct vgg_chain_layer *convs, *linears;
    size_t conv_count, linear_count;
    /* In the order of the numbers in the names, not of the file. */
    bool by_number;
};

/* Finds the chain.
 * Errors: FORMAT (convolutions and linear layers do not make a chain: the message has only the two layers that do
 * not fit, and is empty if there are no convolutions or no linear layers), UNSUPPORTED (BatchNorm elsewhere),
 * MEMORY. */
vgg_status vgg_chain_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_chain *out);

#endif
