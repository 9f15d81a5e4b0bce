/* Nets whose layers do not lie in `features` and `classifier`: the chain that their weights make.
 *
 * Users call layers as they like (conv1_1 … fc8) or spread them over several Sequentials (block1, block2 …,
 * layer1 … layer13). Their convolutions and linear layers are then taken in the order of the file, or of the
 * numbers in their names where that is sorted by the alphabet, if each takes what the one before it gives. */
#ifndef VGG_MODEL_INFER_CHAIN_H
#define VGG_MODEL_INFER_CHAIN_H

#include "model/graph/tensors.h"

/* A convolution or linear layer, and the BatchNorm after it. */
struct vgg_chain_layer {
    const char *name; /* its module's: "block1.0"; the arena's */
    const struct vgg_tensor *weight;
    const char *norm; /* NULL: none */
};

struct vgg_chain {
    struct vgg_chain_layer *convs, *linears; /* [conv_count], [linear_count] in order */
    size_t conv_count, linear_count;
    bool by_number; /* in the order of the numbers in the names, not of the file */
};

/* Finds the chain.
 *   path   the checkpoint's, for messages
 *   arena  owns the arrays and names
 * Errors: FORMAT (no convolutions and linear layers that follow on one another: the message is only which do not, or
 * empty if one kind is not there),
 * UNSUPPORTED (BatchNorm elsewhere), MEMORY. */
vgg_status vgg_chain_find(const char *path, const struct vgg_tensor_list *tensors,
                          struct vgg_arena *arena, struct vgg_chain *out, struct vgg_error *err);

#endif
