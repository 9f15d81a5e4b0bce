/* SPDX-License-Identifier: MIT */
/* The modules with weights that a checkpoint's names and shapes show, in order of execution. */
#ifndef VGG_MODEL_INFER_SITES_H
#define VGG_MODEL_INFER_SITES_H

#include "model/graph/tensors.h"
#include "base/load.h"

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

enum { VGG_ORIGIN_BYTES = 96 };

struct vgg_sites {
    /* Both in order of execution. */
    struct vgg_weighted *convs, *linears;
    size_t conv_count, linear_count;
    /* In the order of the numbers in the names, not of the file. */
    bool by_number;
    /* Names show no order, and shapes allow several. */
    bool unordered;
};

/* Finds the modules and their order: each convolution takes the output of the one before it, and likewise the linear
 * layers.
 * Errors: FORMAT (they do not make a chain, or there are none), UNSUPPORTED (BatchNorm that follows no layer), LIMIT,
 * MEMORY. */
vgg_status vgg_sites_find(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                          struct vgg_sites *out);

/* Says which features a classifier of this width was made for, in case two nets were mixed up: ", which is 512 x 7x7: made
 * for features that end in 512 channels"; "" if it shows none.
 *   channels  of the last convolution */
const char *vgg_sites_show_origin(int features, int channels, char out[VGG_ORIGIN_BYTES]);

/* Whether two modules are in the same Sequential. */
bool vgg_site_is_beside(const struct vgg_site *a, const struct vgg_site *b);

/* The number of modules between two of one Sequential, as their numbers count them; -1: the names do not show it. */
int vgg_site_count_between(const struct vgg_site *a, const struct vgg_site *b);

#endif
