/* SPDX-License-Identifier: MIT */
/* The layers of a description as a line of text, for tests to compare. */
#ifndef VGG_TESTS_SPEC_TEXT_H
#define VGG_TESTS_SPEC_TEXT_H

#include <string.h>

#include "base/status.h"
#include "model/spec/module_types.h"
#include "model/spec/spec_types.h"

/* Adds "/5s2p1": what differs from a usual kernel, its usual stride, and no padding or half the kernel. */
static inline void spec_text_window(const struct vgg_window *window, int kernel, int stride,
                                    bool padded, struct vgg_text *out)
{
    const struct vgg_margins p = window->padding;
    const int h = padded ? window->kernel.h / 2 : 0, w = padded ? window->kernel.w / 2 : 0;
    if (window->kernel.h != window->kernel.w) {
        vgg_text_add(out, "/%dx%d", window->kernel.h, window->kernel.w);
    } else if (window->kernel.h != kernel) {
        vgg_text_add(out, "/%d", window->kernel.h);
    }
    if (window->stride.h != window->stride.w) {
        vgg_text_add(out, "s%dx%d", window->stride.h, window->stride.w);
    } else if (window->stride.h != stride) {
        vgg_text_add(out, "s%d", window->stride.h);
    }
    if (p.top != p.bottom || p.left != p.right) {
        vgg_text_add(out, "p(%d,%d,%d,%d)", p.left, p.right, p.top, p.bottom);
    } else if (p.top != p.left && (p.top != h || p.left != w)) {
        vgg_text_add(out, "p%dx%d", p.top, p.left);
    } else if (p.top != h || p.left != w) {
        vgg_text_add(out, "p%d", p.top);
    }
    if (window->dilation.h != 1 || window->dilation.w != 1) {
        vgg_text_add(out, "d%dx%d", window->dilation.h, window->dilation.w);
    }
    vgg_text_add(out, "%s", window->ceil_mode ? "ceil" : "");
}

static inline void spec_text_conv(const struct vgg_conv_layer *conv, struct vgg_text *out)
{
    vgg_text_add(out, "%d", conv->out_channels);
    spec_text_window(&conv->window, 3, 1, true, out);
    if (conv->groups != 1) {
        vgg_text_add(out, "g%d", conv->groups);
    }
    vgg_text_add(out, "%s", conv->bias ? "" : "-");
}

static inline void spec_text_pool(const struct vgg_general_pool *pool, struct vgg_text *out)
{
    vgg_text_add(out, "%s", pool->average ? "A" : "M");
    spec_text_window(&pool->window, 2, pool->window.kernel.h, false, out);
    vgg_text_add(out, "%s", pool->average && !pool->count_include_pad ? "!" : "");
}

static inline void spec_text_activation(const struct vgg_activation_layer *activation,
                                        struct vgg_text *out)
{
    const char *name = activation->kind == VGG_ACTIVATION_GELU_TANH
                           ? "GELU(tanh)"
                           : vgg_activation_name(activation->kind);
    if (activation->kind == VGG_ACTIVATION_RELU) {
        vgg_text_add(out, "r");
    } else if (activation->kind == VGG_ACTIVATION_PRELU) {
        vgg_text_add(out, "%s(%d)", name, activation->slopes);
    } else if (activation->kind == VGG_ACTIVATION_LEAKY_RELU ||
               activation->kind == VGG_ACTIVATION_ELU) {
        vgg_text_add(out, "%s(%g)", name, activation->slope);
    } else {
        vgg_text_add(out, "%s", name);
    }
}

static inline void spec_text_adaptive(const struct vgg_adaptive_layer *adaptive,
                                      struct vgg_text *out)
{
    vgg_text_add(out, "%s%d",
                 adaptive->kind == VGG_ADAPTIVE_AVG   ? "avg"
                 : adaptive->kind == VGG_ADAPTIVE_MAX ? "max"
                                                      : "concat",
                 adaptive->out.h);
    if (adaptive->out.h != adaptive->out.w) {
        vgg_text_add(out, "x%d", adaptive->out.w);
    }
}

/* Adds one layer: "64" (a convolution of 3x3 with padding 1 and bias), "64/1", "64/5p0s2-", "b" (BatchNorm), "r" (ReLU),
 * "M" (a max pool of 2x2), "M/3s2", "avg7", "|" (Flatten), "4096" (a linear layer), "D" (Identity), "Softmax". */
static inline void spec_text_layer(const struct vgg_layer *layer, struct vgg_text *out)
{
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        spec_text_conv(&layer->conv, out);
        break;
    case VGG_LAYER_BATCH_NORM:
        vgg_text_add(out, "b%s", layer->norm.affine ? "" : "!");
        if (layer->norm.eps != VGG_DEFAULT_EPS) {
            vgg_text_add(out, "(%g)", layer->norm.eps);
        }
        break;
    case VGG_LAYER_ACTIVATION:
        spec_text_activation(&layer->activation, out);
        break;
    case VGG_LAYER_LRN:
        vgg_text_add(out, "lrn%d(%g,%g,%g)", layer->lrn.size, layer->lrn.alpha, layer->lrn.beta,
                     layer->lrn.k);
        break;
    case VGG_LAYER_POOL:
        spec_text_pool(&layer->pool, out);
        break;
    case VGG_LAYER_ADAPTIVE_POOL:
        spec_text_adaptive(&layer->adaptive, out);
        break;
    case VGG_LAYER_ZERO_PAD:
        vgg_text_add(out, "pad(%d,%d,%d,%d)", layer->zero_pad.left, layer->zero_pad.right,
                     layer->zero_pad.top, layer->zero_pad.bottom);
        break;
    case VGG_LAYER_FLATTEN:
        vgg_text_add(out, "|");
        break;
    case VGG_LAYER_LINEAR:
        vgg_text_add(out, "%d%s", layer->linear.out_features, layer->linear.bias ? "" : "-");
        break;
    case VGG_LAYER_IDENTITY:
        vgg_text_add(out, "D");
        break;
    case VGG_LAYER_SOFTMAX:
        vgg_text_add(out, layer->softmax.log ? "LogSoftmax" : "Softmax");
        break;
    }
}

/* The layers of a description, "64 r M avg7 | 4096 r D 10". Valid until the next call. */
static inline const char *spec_text(const struct vgg_spec *spec)
{
    static struct vgg_text text;
    text = (struct vgg_text){0};
    for (size_t i = 0; i < spec->layer_count; i++) {
        vgg_text_add(&text, "%s", i > 0 ? " " : "");
        spec_text_layer(&spec->layers[i], &text);
    }
    return text.buffer;
}

/* Their names: "features.0 features.1 … flatten". Valid until the next call. */
static inline const char *spec_names(const struct vgg_spec *spec)
{
    static struct vgg_text text;
    text = (struct vgg_text){0};
    for (size_t i = 0; i < spec->layer_count; i++) {
        vgg_text_add(&text, "%s%s", i > 0 ? " " : "", spec->layers[i].name);
    }
    return text.buffer;
}

/* The n-th layer of a kind. */
static inline const struct vgg_layer *spec_find(const struct vgg_spec *spec,
                                                enum vgg_layer_kind kind, size_t n)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].kind == kind && n-- == 0) {
            return &spec->layers[i];
        }
    }
    return NULL;
}

#endif
