/* SPDX-License-Identifier: MIT */
/* Properties of a net that a caller gives, each instead of what would be inferred. */
#ifndef VGG_MODEL_INFER_OVERRIDE_H
#define VGG_MODEL_INFER_OVERRIDE_H

#include "base/load.h"
#include "base/status.h"
#include "model/spec/spec_types.h"

struct vgg_overrides {
    bool has_padding, has_eps, has_activation, has_pool;
    /* Of every convolution. */
    int padding;
    /* Of every BatchNorm. */
    double eps;
    /* Instead of every activation but PReLU, which weights show. */
    struct vgg_activation_layer activation;
    bool no_activation;
    /* Instead of every pool but adaptive ones. */
    struct vgg_general_pool pool;
    /* The input; 0: not given. */
    int height, width;
};

/* The options as text; NULL: not given. */
struct vgg_override_texts {
    /* "0" */
    const char *padding;
    /* "1e-3" */
    const char *eps;
    /* "LeakyReLU(0.1)": a class of PyTorch, and in brackets its slope or alpha; "none" */
    const char *activation;
    /* "AvgPool2d(2)", "MaxPool2d(3, 2, 1)": kernel_size, stride, padding */
    const char *pool;
};

/* Reads the texts. Errors: ARGUMENT with what was expected. */
vgg_status vgg_overrides_parse(const struct vgg_override_texts *texts, struct vgg_overrides *out,
                               struct vgg_error *err);

/* Replaces the settings of a description's layers. The padding is that of convolutions with kernels of more than one
 * pixel. */
void vgg_overrides_apply(const struct vgg_overrides *overrides, struct vgg_spec *spec);

/* Refuses properties of layers that the described net does not have. No activation fits any net.
 * Errors: ARGUMENT. */
vgg_status vgg_overrides_check(const struct vgg_load *load, const struct vgg_override_texts *texts,
                               const struct vgg_spec *spec);

/* Whether any property of the layers is given. */
bool vgg_overrides_has_layers(const struct vgg_overrides *overrides);

#endif
