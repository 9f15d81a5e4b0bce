/* SPDX-License-Identifier: MIT */
/* The modules with weights that a checkpoint's names and shapes show, in order of execution. */
#ifndef VGG_MODEL_INFER_SITES_H
#define VGG_MODEL_INFER_SITES_H

#include "base/load.h"
#include "model/graph/tensors.h"
#include "model/infer/site_types.h"

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
