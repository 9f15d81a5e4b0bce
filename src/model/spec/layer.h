/* SPDX-License-Identifier: MIT */
/* The layers of a net, with the settings and the meaning that they have in PyTorch, without their weights. */
#ifndef VGG_MODEL_SPEC_LAYER_H
#define VGG_MODEL_SPEC_LAYER_H

#include <stdbool.h>
#include <stddef.h>

enum vgg_layer_kind {
    VGG_LAYER_CONV,
    VGG_LAYER_BATCH_NORM,
    VGG_LAYER_ACTIVATION,
    VGG_LAYER_LRN,
    VGG_LAYER_POOL,
    VGG_LAYER_ADAPTIVE_POOL,
    VGG_LAYER_ZERO_PAD,
    VGG_LAYER_FLATTEN,
    VGG_LAYER_LINEAR,
    /* Dropout, Identity and what else computes nothing when a net is run. */
    VGG_LAYER_IDENTITY,
    VGG_LAYER_SOFTMAX,
};

/* Sizes along both axes. */
struct vgg_pixels {
    int h, w;
};

/* Shape of one image's activations; after Flatten, h and w are 1. */
struct vgg_shape {
    int c, h, w;
};

/* Rows and columns of zeros around a tensor; minus infinity for a max pool. */
struct vgg_margins {
    int top, left, bottom, right;
};

/* A window that moves over an image. */
struct vgg_window {
    struct vgg_pixels kernel, stride, dilation;
    struct vgg_margins padding;
    /* A last window may reach beyond the bottom and the right. Of pools. */
    bool ceil_mode;
};

/* Functions of one number, with PyTorch's definitions. */
enum vgg_activation_kind {
    VGG_ACTIVATION_RELU,
    VGG_ACTIVATION_LEAKY_RELU, /* x > 0 ? x : slope * x */
    VGG_ACTIVATION_PRELU,      /* the same with slopes from the checkpoint */
    VGG_ACTIVATION_ELU,        /* x > 0 ? x : slope * (e^x - 1) */
    VGG_ACTIVATION_GELU,       /* x * Φ(x), with erf */
    VGG_ACTIVATION_GELU_TANH,  /* its approximation with tanh */
    VGG_ACTIVATION_SILU,       /* x * sigmoid(x) */
    VGG_ACTIVATION_TANH,
    VGG_ACTIVATION_SIGMOID,
    VGG_ACTIVATION_HARDSWISH, /* x * min(max(x + 3, 0), 6) / 6 */
    VGG_ACTIVATION_RELU6,     /* min(max(x, 0), 6) */
};

/* x / (k + alpha / size * Σ x²)^beta, the sum over the channels c - size / 2 to c + (size - 1) / 2. */
struct vgg_lrn {
    int size;
    double alpha, beta, k;
};

struct vgg_general_pool {
    struct vgg_window window;
    bool average;
    /* A mean counts the zeros of the padding. */
    bool count_include_pad;
};

struct vgg_softmax {
    bool log;
};

struct vgg_conv_layer {
    int in_channels, out_channels, groups;
    struct vgg_window window;
    bool bias;
};

/* BatchNorm2d, or BatchNorm1d after Flatten. */
struct vgg_norm_layer {
    int channels;
    double eps;
    /* With weight and bias. */
    bool affine;
};

struct vgg_activation_layer {
    enum vgg_activation_kind kind;
    /* LeakyReLU's negative_slope, ELU's alpha. */
    double slope;
    /* PReLU: 1 slope, or one for each channel. */
    int slopes;
};

enum vgg_adaptive_kind {
    VGG_ADAPTIVE_AVG,
    VGG_ADAPTIVE_MAX,
    /* fastai's AdaptiveConcatPool2d: the channels of the maximum, then those of the mean. */
    VGG_ADAPTIVE_CONCAT,
};

struct vgg_adaptive_layer {
    enum vgg_adaptive_kind kind;
    /* 0: as many as the input has. */
    struct vgg_pixels out;
    /* Of a mean before linear layers that are filters and move over larger features: those are not averaged. */
    bool only_enlarges;
};

struct vgg_flatten_layer {
    /* Features are in the order height, width, channels instead of channels, height, width. */
    bool channels_last;
    /* Of its input; 0: not known yet. */
    int channels;
};

struct vgg_linear_layer {
    int in_features, out_features;
    bool bias;
};

struct vgg_layer {
    enum vgg_layer_kind kind;
    /* The module's path in the checkpoint: "features.3". Layers that are no module have a name of their own:
     * "flatten", "conv1.relu". NULL: it is still to be named. */
    const char *name;
    union {
        struct vgg_conv_layer conv;
        struct vgg_norm_layer norm;
        struct vgg_activation_layer activation;
        struct vgg_lrn lrn;
        struct vgg_general_pool pool;
        struct vgg_adaptive_layer adaptive;
        struct vgg_margins zero_pad;
        struct vgg_flatten_layer flatten;
        struct vgg_linear_layer linear;
        struct vgg_softmax softmax;
    };
};

/* A square window with the same stride and padding along both axes. */
static inline struct vgg_window vgg_window_square(int kernel, int stride, int padding)
{
    return (struct vgg_window){
        .kernel = {kernel, kernel},
        .stride = {stride, stride},
        .dilation = {1, 1},
        .padding = {padding, padding, padding, padding},
    };
}

/* Whether the window is one of those: without dilation and ceil_mode. */
static inline bool vgg_window_is_square(const struct vgg_window *window)
{
    const struct vgg_margins p = window->padding;
    return window->kernel.h == window->kernel.w && window->stride.h == window->stride.w &&
           window->dilation.h == 1 && window->dilation.w == 1 && p.top == p.left &&
           p.top == p.bottom && p.top == p.right && !window->ceil_mode;
}

#endif
