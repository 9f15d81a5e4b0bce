/* SPDX-License-Identifier: MIT */
/* Finds which convolution or linear layer each BatchNorm and each PReLU belongs to. */
#ifndef VGG_MODEL_INFER_NORM_SITES_H
#define VGG_MODEL_INFER_NORM_SITES_H

#include "model/infer/site_types.h"
#include "base/load.h"

struct vgg_norm_search {
    /* [count] all modules, in order of execution as far as names show it. */
    struct vgg_site *const *order;
    size_t count;
    struct vgg_weighted *convs;
    size_t conv_count;
    struct vgg_weighted *linears;
    size_t linear_count;
};

/* Sets norm, norm_before and prelu of the layers: a BatchNorm belongs to the layer before it in the order, or, where all
 * of them stand after all convolutions, the n-th to the n-th convolution.
 * Errors: UNSUPPORTED (neither fits). */
vgg_status vgg_norm_sites_attach(const struct vgg_load *load, const struct vgg_norm_search *search);

#endif
