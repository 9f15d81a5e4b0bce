/* A configuration as torchvision's make_layers takes it, written as text: "64, 64, M, 128, …". */
#ifndef VGG_MODEL_SPEC_CFG_H
#define VGG_MODEL_SPEC_CFG_H

#include "model/spec/spec.h"

/* Convolutions have nothing but their channels: the rest is for the weights' shapes to say. */
struct vgg_cfg {
    struct vgg_layer *layers; /* [count] CONV, MAX_POOL, DROPOUT */
    size_t count;
    size_t conv_count;
};

/* Reads numbers (convolutions with so many channels), M (a max pool, 2 x 2) and D (Dropout), separated by
 * commas or blanks; quotes and brackets are passed over, so that a Python list may be pasted.
 * Errors: ARGUMENT with what is wrong; LIMIT, MEMORY. */
vgg_status vgg_cfg_parse(const char *text, const struct vgg_limits *limits, struct vgg_arena *arena,
                         struct vgg_cfg *out, struct vgg_error *err);

#endif
