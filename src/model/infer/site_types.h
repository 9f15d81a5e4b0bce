/* SPDX-License-Identifier: MIT */
/* A module with weights, as a checkpoint's names and shapes show it. */
#ifndef VGG_MODEL_INFER_SITE_TYPES_H
#define VGG_MODEL_INFER_SITE_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "vgg/checkpoint.h"

enum vgg_site_kind {
    VGG_SITE_CONV,
    VGG_SITE_LINEAR,
    VGG_SITE_NORM,
    VGG_SITE_PRELU,
};

/* Where a module is in a Sequential: "block1.0" is number 0 in "block1". mmpretrain's "features.0.conv" is in unit 0
 * of "features". "conv1_2" is in "" and has no number. */
struct vgg_place {
    /* Length of the Sequential's name. */
    size_t parent;
    /* -1: the name has no number. */
    int number;
    /* The number is that of a unit of several modules. */
    bool unit;
};

/* A module with weights. */
struct vgg_site {
    enum vgg_site_kind kind;
    const char *name;
    struct vgg_place place;
    /* NULL: a BatchNorm without weight and bias. */
    const struct vgg_tensor *weight;
    /* Channels or features; of a convolution in_channels is that of one group. */
    int in_channels, out_channels;
    bool bias;
};

/* A convolution or a linear layer, and what stands directly before and after it. */
struct vgg_weighted {
    struct vgg_site *site;
    /* BatchNorm1d before a linear layer; NULL: there is none. */
    const struct vgg_site *norm_before;
    const struct vgg_site *norm, *prelu;
    /* Of a convolution. */
    int groups;
};

#endif
