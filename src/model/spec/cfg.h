/* SPDX-License-Identifier: MIT */
/* Reads a configuration such as torchvision's make_layers takes, as text: "64, 64, M, 128, …". */
#ifndef VGG_MODEL_SPEC_CFG_H
#define VGG_MODEL_SPEC_CFG_H

#include "model/spec/spec.h"

enum vgg_cfg_kind {
    VGG_CFG_CONV,
    VGG_CFG_MAX_POOL, /* 2x2, stride 2 */
    VGG_CFG_AVG_POOL, /* 2x2, stride 2 */
    VGG_CFG_DROPOUT,
};

struct vgg_cfg_entry {
    enum vgg_cfg_kind kind;
    /* Of a convolution, which has only its channels: everything else comes from the shapes of the weights. */
    int channels;
};

struct vgg_cfg {
    struct vgg_cfg_entry *entries; /* [count] */
    size_t count;
    size_t conv_count;
};

/* Reads numbers (a convolution's channels), M (a 2x2 max pool), A (a 2x2 average pool) and D (Dropout), separated by
 * commas or blanks.
 * Quotes and brackets are skipped, so that a Python list may be pasted.
 * Errors: ARGUMENT with what is wrong; LIMIT, MEMORY. */
vgg_status vgg_cfg_parse(const char *text, const struct vgg_limits *limits, struct vgg_arena *arena,
                         struct vgg_cfg *out, struct vgg_error *err);

#endif
