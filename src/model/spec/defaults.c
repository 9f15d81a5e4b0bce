/* SPDX-License-Identifier: MIT */
/* Defaults for what a description leaves open: input size and preprocessing. */
#include "model/spec/defaults.h"

#include <string.h>

/* The square root of a whole number; 0: it is no square. */
static int root_of(int64_t area)
{
    int side = 1;
    while ((int64_t)side * side < area && side < VGG_MAX_SIDE) {
        side++;
    }
    return (int64_t)side * side == area ? side : 0;
}

/* The features that the layers after a Flatten take; 0: they do not say. */
static int find_features(const struct vgg_spec *spec, size_t flatten)
{
    for (size_t i = flatten + 1; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_LINEAR) {
            return layer->linear.in_features;
        }
        if (layer->kind == VGG_LAYER_BATCH_NORM) {
            return layer->norm.channels;
        }
    }
    return 0;
}

struct vgg_pixels vgg_spec_feature_size(const struct vgg_spec *spec, size_t *at)
{
    int channels = spec->channels;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (at != NULL) {
            *at = i;
        }
        if (layer->kind == VGG_LAYER_CONV) {
            channels = layer->conv.out_channels;
        } else if (layer->kind == VGG_LAYER_ADAPTIVE_POOL) {
            return layer->adaptive.out;
        } else if (layer->kind == VGG_LAYER_FLATTEN) {
            const int features = find_features(spec, i);
            const int side =
                channels > 0 && features % channels == 0 ? root_of(features / channels) : 0;
            return (struct vgg_pixels){side, side};
        }
    }
    return (struct vgg_pixels){0, 0};
}

static int clamp(int64_t size)
{
    return size < 1 ? 1 : size > VGG_MAX_SIDE ? VGG_MAX_SIDE : (int)size;
}

/* The smallest input of a window for an output size, along one axis. */
static int undo_axis(int out, int kernel, int stride, int dilation, int padding)
{
    return clamp((int64_t)(out - 1) * stride + (int64_t)dilation * (kernel - 1) + 1 - padding);
}

static void undo_window(const struct vgg_window *window, struct vgg_pixels *size)
{
    const struct vgg_margins p = window->padding;
    size->h = undo_axis(size->h, window->kernel.h, window->stride.h, window->dilation.h,
                        p.top + p.bottom);
    size->w = undo_axis(size->w, window->kernel.w, window->stride.w, window->dilation.w,
                        p.left + p.right);
}

struct vgg_pixels vgg_spec_natural_input(const struct vgg_spec *spec)
{
    size_t end = 0;
    struct vgg_pixels size = vgg_spec_feature_size(spec, &end);
    if (size.h == 0 || size.w == 0) {
        return (struct vgg_pixels){0, 0};
    }
    for (size_t i = end; i-- > 0;) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_CONV) {
            undo_window(&layer->conv.window, &size);
        } else if (layer->kind == VGG_LAYER_POOL) {
            undo_window(&layer->pool.window, &size);
        } else if (layer->kind == VGG_LAYER_ZERO_PAD) {
            size.h = clamp((int64_t)size.h - layer->zero_pad.top - layer->zero_pad.bottom);
            size.w = clamp((int64_t)size.w - layer->zero_pad.left - layer->zero_pad.right);
        }
    }
    return size;
}

/* The whole image at the input's size, pixels scaled to 0…1: Resize((height, width)) and ToTensor() alone. */
static void set_plain(const struct vgg_spec *spec, struct vgg_preprocess *out)
{
    *out = (struct vgg_preprocess){.name = "custom",
                                   .resize = spec->input.h,
                                   .resize_width = spec->input.w,
                                   .std = {1, 1, 1},
                                   .channels = spec->channels == 1 ? 1 : 3};
}

vgg_status vgg_spec_default_preprocess(struct vgg_spec *spec, struct vgg_error *err)
{
    const bool square = spec->input.h == spec->input.w && spec->channels == 3;
    if (square && spec->input.h == 224) {
        return vgg_preprocess_find("imagenet", &spec->preprocess, err);
    }
    if (square && spec->input.h == 32) {
        return vgg_preprocess_find("cifar", &spec->preprocess, err);
    }
    set_plain(spec, &spec->preprocess);
    return VGG_OK;
}
