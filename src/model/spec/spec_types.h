/* SPDX-License-Identifier: MIT */
/* The types of a net's description, and what is read off them directly. */
#ifndef VGG_MODEL_SPEC_SPEC_TYPES_H
#define VGG_MODEL_SPEC_SPEC_TYPES_H

#include "base/mem.h"
#include "base/status.h"
#include "model/spec/labels.h"
#include "vgg/model.h"
#include "vgg/preprocess.h"

#define VGG_SPEC_SCHEMA 1

/* Bounds that keep every product of two of them, and the sum of all, far from overflow. */
/* Channels, features and classes. */
#define VGG_MAX_CHANNELS (1 << 24)
/* Pixels of kernels, strides, the average pool and the input. */
#define VGG_MAX_SIDE 65535

enum vgg_layer_kind {
    /* Convolution, BatchNorm2d if batch_norm, ReLU. */
    VGG_LAYER_CONV,
    VGG_LAYER_MAX_POOL,
    VGG_LAYER_LRN,
    /* Computes nothing, but has an index in the Sequential. */
    VGG_LAYER_DROPOUT,
};

/* One entry of `features`. */
struct vgg_layer {
    enum vgg_layer_kind kind;
    /* The module names of a convolution and of its BatchNorm; NULL: they are indices in `features`. */
    const char *name;
    const char *norm;
    /* Output channels of a convolution. */
    int channels;
    /* Side in pixels; of LRN, the number of channels. */
    int kernel;
    int stride;
    /* Of a convolution. */
    int padding;
    bool bias;
    bool batch_norm;
    /* False: eps is BatchNorm2d's default, 1e-5. */
    bool has_eps;
    double eps;
    /* Of LRN. */
    double alpha, beta, k;
};

/* One linear layer of `classifier`. */
struct vgg_head {
    /* The module names of the layer and of its BatchNorm; NULL: they are indices in `classifier`. */
    const char *name;
    const char *norm;
    /* Output features. */
    int features;
    bool bias;
    /* BatchNorm1d before the ReLU. */
    bool batch_norm;
    /* False: eps is BatchNorm1d's default, 1e-5. */
    bool has_eps;
    double eps;
    /* Index in the Sequential; -1: `classifier` itself is the layer. The indices between two layers are ReLU, then
     * Dropout; an index before the first layer is Dropout. */
    int index;
};

/* The input of an int8 net: byte q stands for low + q * step, per channel. */
struct vgg_int8_grid {
    float low[3], step[3];
};

struct vgg_spec {
    /* Where the description came from, see vgg_model_info. */
    const char *source;
    /* NULL: the net has no name. */
    const char *name;
    /* The Sequentials' names in the checkpoint; NULL: "features" and "classifier". */
    const char *features;
    const char *classifier;
    struct vgg_layer *layers;
    size_t layer_count;
    /* Side of AdaptiveAvgPool2d's output in pixels. */
    int avgpool;
    /* The last entry's features are the classes. */
    struct vgg_head *head;
    size_t head_count;
    /* Side of the square input in pixels. */
    int input;
    struct vgg_preprocess preprocess;
    /* Its count is 0 when classes have no names. */
    struct vgg_labels labels;
    /* Inferred from names and shapes, not written by a user. */
    bool inferred;
    /* Inferred, and found to be the built-in net `name`. */
    bool builtin;
    /* Assumptions about the layers, as text; NULL: there are none. */
    const char *assumed;
    /* Whether these were assumed, too: the average pool, the input size, mean and std. */
    bool assumed_avgpool;
    bool assumed_input;
    bool assumed_preprocess;

    /* Weights and activations are 8-bit integers; only packed files have such nets. */
    bool int8;
    struct vgg_int8_grid grid;
    /* [vgg_spec_count_scales] the value of one activation step after each convolution and linear layer but the
     * last. */
    float *scales;

    /* Published figures of the weights; NULL and 0 where there are none. */
    const char *file;
    /* All 64 hexadecimal digits, or the first few of them. */
    const char *sha256;
    uint64_t bytes;
    /* Per cent of ImageNet's validation set. */
    double acc1, acc5;
};

/* Number of classes: the output features of the last linear layer. */
static inline int vgg_spec_get_classes(const struct vgg_spec *spec)
{
    return spec->head[spec->head_count - 1].features;
}

/* Whether layers have names of their own. */
static inline bool vgg_spec_is_named(const struct vgg_spec *spec)
{
    return spec->head[0].name != NULL;
}

/* The Sequentials' names. */
static inline const char *vgg_spec_get_features(const struct vgg_spec *spec)
{
    return spec->features != NULL ? spec->features : "features";
}
static inline const char *vgg_spec_get_classifier(const struct vgg_spec *spec)
{
    return spec->classifier != NULL ? spec->classifier : "classifier";
}

#endif
