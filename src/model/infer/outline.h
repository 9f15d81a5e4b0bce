/* SPDX-License-Identifier: MIT */
/* What names show of the modules without weights: activations, pools and Dropout between the layers. */
#ifndef VGG_MODEL_INFER_OUTLINE_H
#define VGG_MODEL_INFER_OUTLINE_H

#include "model/infer/sites.h"
#include "model/spec/cfg.h"

/* What is known of the modules between a layer, with its BatchNorm, and the next layer. */
enum vgg_gap {
    /* Names do not show it. */
    VGG_GAP_UNKNOWN,
    /* No place for a pool. */
    VGG_GAP_NONE,
    VGG_GAP_POOL,
    /* As the cfg says. */
    VGG_GAP_CFG,
};

/* Where the activation of a layer is. */
enum vgg_activation_place {
    /* After its BatchNorm, or after the layer. */
    VGG_AFTER_NORM,
    /* Between the layer and its BatchNorm. */
    VGG_BEFORE_NORM,
    /* The numbers leave no place for one. */
    VGG_NOWHERE,
    /* There is one place, which is either an activation's or a pool's. */
    VGG_OR_POOL,
};

/* A convolution or linear layer and the modules up to the next layer. */
struct vgg_unit {
    const struct vgg_weighted *layer;
    enum vgg_activation_place activation;
    enum vgg_gap gap;
    /* Activation and pool are both between the layer and its BatchNorm. */
    bool pool_before_norm;
    /* Of CFG: the entries up to the next convolution, and whether they are functions, for which the numbers leave no
     * place. */
    const struct vgg_cfg_entry *entries;
    size_t entry_count;
    bool functional;
    /* Modules that compute nothing, for which the numbers leave a place: before the layer, between the BatchNorm before it
     * and the layer, and after it. */
    int identities_before, identities_between, identities;
};

struct vgg_outline {
    const struct vgg_sites *sites;
    /* [sites->conv_count], [sites->linear_count] */
    struct vgg_unit *convs, *linears;
    /* Convolutions of one Sequential have consecutive numbers, which therefore count no other modules: a ModuleList. */
    bool listed;
    /* A cfg says where the pools are. */
    bool has_cfg;
    /* The first linear layer on top of a net that stands in the file as a whole, "fc" beside "vgg.classifier.6";
     * NULL: there is none. */
    const struct vgg_site *top;
    /* Dropout was assumed where the cfg has nothing, before this convolution; NULL: nowhere. */
    const struct vgg_site *dropout_before;
    /* Pools of the cfg are taken to be functions after this convolution; NULL: none. */
    const struct vgg_site *functional_after;
};

/* Whether a convolution takes the place of a linear layer: in a net without any, its kernel is larger than that of the first
 * convolution. */
bool vgg_outline_is_former_linear(const struct vgg_outline *outline,
                                  const struct vgg_tensor *weight);

/* Reads the outline from the numbers in names.
 *   cfg  NULL: none was given
 * Errors: UNSUPPORTED (numbers leave places whose modules nothing shows), MISMATCH (cfg differs), MEMORY. */
vgg_status vgg_outline_read(const struct vgg_load *load, const struct vgg_sites *sites,
                            const struct vgg_cfg *cfg, struct vgg_outline *out);

/* The places at the beginning of a linear layer's own Sequential whose modules nothing shows; they are taken to compute
 * nothing, as Flatten and Dropout do. */
int vgg_outline_count_idle(const struct vgg_outline *outline);

#endif
