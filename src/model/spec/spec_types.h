/* SPDX-License-Identifier: MIT */
/* The types of a net's description, and what is read off them directly. */
#ifndef VGG_MODEL_SPEC_SPEC_TYPES_H
#define VGG_MODEL_SPEC_SPEC_TYPES_H

#include "base/mem.h"
#include "base/status.h"
#include "model/spec/evidence.h"
#include "model/spec/labels.h"
#include "model/spec/layer.h"
#include "vgg/model.h"
#include "vgg/preprocess.h"

#define VGG_SPEC_SCHEMA 2

/* Bounds that keep every product of two of them, and the sum of all, far from overflow. */
/* Channels, features and classes. */
#define VGG_MAX_CHANNELS (1 << 24)
/* Pixels of kernels, strides, the average pool and the input. */
#define VGG_MAX_SIDE 65535

/* The input of an int8 net: byte q stands for low + q * step, per channel. */
struct vgg_int8_grid {
    float low[3], step[3];
};

/* Where single properties of the preprocessing were found, in or beside the file; NULL: they were not. */
struct vgg_preprocess_origin {
    const char *values, *resize, *crop, *interpolation;
};

/* Why values of the preprocessing are assumed that are not the usual ones; NULL: they are not. */
struct vgg_preprocess_guess {
    const char *why;
    /* What fits as well, of mean and std and of the channels. */
    const char *values, *channels;
};

struct vgg_spec {
    /* Where the description came from, see vgg_model_info. */
    const char *source;
    /* NULL: the net has no name. */
    const char *name;
    /* In order of execution: each layer reads the output of the layer before it. */
    struct vgg_layer *layers;
    size_t layer_count;
    /* Channels of the input, and its size in pixels; 0: not known yet. */
    int channels;
    struct vgg_pixels input;
    struct vgg_preprocess preprocess;
    /* Whose preprocessing it is, but for what was found elsewhere. */
    enum vgg_evidence_source preprocess_source;
    struct vgg_preprocess_origin preprocess_origin;
    struct vgg_preprocess_guess preprocess_guess;
    /* Modules and tensors of the file that the net does not use, by name. */
    const char **unused;
    size_t unused_count;
    /* Its count is 0 when classes have no names. */
    struct vgg_labels labels;
    /* Inferred from names and shapes, not written by a user. */
    bool inferred;
    /* Inferred, and found to be the built-in net `name`. */
    bool builtin;
    /* The description was written from an inferred one, so that only convention says what the average pool makes of
     * features of another size. */
    bool average_pool_assumed;
    /* What is known of the net, and from where. */
    struct vgg_evidence_list evidence;

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

/* Whether a layer has weights that int8 nets quantise: a convolution or a linear layer. */
static inline bool vgg_layer_has_weights(const struct vgg_layer *layer)
{
    return layer->kind == VGG_LAYER_CONV || layer->kind == VGG_LAYER_LINEAR;
}

/* Whether only convention says what the average pool makes of features of another size. */
static inline bool vgg_spec_assumes_average_pool(const struct vgg_spec *spec)
{
    return spec->average_pool_assumed || (spec->inferred && !spec->builtin);
}

/* Number of classes: the outputs of the last convolution or linear layer. */
int vgg_spec_get_classes(const struct vgg_spec *spec);

/* The number of layers of a kind. */
size_t vgg_spec_count(const struct vgg_spec *spec, enum vgg_layer_kind kind);

#endif
