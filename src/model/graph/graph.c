/* SPDX-License-Identifier: MIT */
/* Computes the output shape of a node, and names its type. */
#include "model/graph/graph.h"

#include <limits.h>

static vgg_status fail_channels(const struct vgg_node *node, int expected, struct vgg_shape in,
                                const char *path, struct vgg_error *err)
{
    return vgg_fail(err, VGG_ERR_MISMATCH,
                    "%s: %s: expected an input of %d channels, found %dx%dx%d", path, node->name,
                    expected, in.c, in.h, in.w);
}

/* Output size of a window that moves over padded pixels; 0 when the window is larger than the input. */
static int64_t count_windows(int size, int kernel, int stride, int padding)
{
    const int64_t steps = (int64_t)size + 2 * (int64_t)padding - kernel;
    return steps < 0 ? 0 : steps / stride + 1;
}

/* A window that moves over the input. */
struct window {
    int out_channels, kernel, stride, padding;
};

static vgg_status infer_window(const struct vgg_node *node, struct window window,
                               struct vgg_shape *shape, const char *path, struct vgg_error *err)
{
    const struct vgg_shape in = *shape;
    const int64_t h = count_windows(in.h, window.kernel, window.stride, window.padding);
    const int64_t w = count_windows(in.w, window.kernel, window.stride, window.padding);
    if (h < 1 || w < 1 || h > INT_MAX || w > INT_MAX) {
        const int side = window.kernel - 2 * window.padding, min = side > 1 ? side : 1;
        return vgg_fail(err, VGG_ERR_MISMATCH,
                        "%s: %s (%s): expected an input of at least %dx%d pixels, found %dx%d: the "
                        "image is too small for this net",
                        path, node->name, vgg_node_type(node), min, min, in.h, in.w);
    }
    *shape = (struct vgg_shape){.c = window.out_channels, .h = (int)h, .w = (int)w};
    return VGG_OK;
}

static vgg_status infer_flatten(const struct vgg_node *node, struct vgg_shape in,
                                struct vgg_shape *out, const char *path, struct vgg_error *err)
{
    int features;
    if (__builtin_mul_overflow(in.c, in.h, &features) ||
        __builtin_mul_overflow(features, in.w, &features)) {
        return vgg_fail(err, VGG_ERR_MISMATCH,
                        "%s: %s: expected at most %d features, found %dx%dx%d", path, node->name,
                        INT_MAX, in.c, in.h, in.w);
    }
    *out = (struct vgg_shape){.c = features, .h = 1, .w = 1};
    return VGG_OK;
}

vgg_status vgg_node_infer_shape(const struct vgg_node *node, struct vgg_shape in,
                                struct vgg_shape *out, const char *path, struct vgg_error *err)
{
    if (in.c < 1 || in.h < 1 || in.w < 1) {
        return vgg_fail(err, VGG_ERR_MISMATCH, "%s: %s: expected an image, found %dx%dx%d", path,
                        node->name, in.c, in.h, in.w);
    }
    switch (node->op) {
    case VGG_OP_CONV2D:
        if (in.c != node->conv.ic) {
            return fail_channels(node, node->conv.ic, in, path, err);
        }
        *out = in;
        return infer_window(node,
                            (struct window){node->conv.oc, node->conv.kernel, node->conv.stride,
                                            node->conv.padding},
                            out, path, err);
    case VGG_OP_BATCH_NORM:
        if (in.c != node->norm.channels) {
            return fail_channels(node, node->norm.channels, in, path, err);
        }
        break;
    case VGG_OP_MAX_POOL:
        *out = in;
        return infer_window(node,
                            (struct window){in.c, node->max_pool.kernel, node->max_pool.stride, 0},
                            out, path, err);
    case VGG_OP_ADAPTIVE_AVG_POOL:
        *out = (struct vgg_shape){.c = in.c, .h = node->avg_pool.oh, .w = node->avg_pool.ow};
        return VGG_OK;
    case VGG_OP_FLATTEN:
        return infer_flatten(node, in, out, path, err);
    case VGG_OP_LINEAR:
        if (in.c != node->linear.in_features || in.h != 1 || in.w != 1) {
            return vgg_fail(err, VGG_ERR_MISMATCH, "%s: %s: expected %d features, found %dx%dx%d",
                            path, node->name, node->linear.in_features, in.c, in.h, in.w);
        }
        *out = (struct vgg_shape){.c = node->linear.out_features, .h = 1, .w = 1};
        return VGG_OK;
    case VGG_OP_RELU:
    case VGG_OP_LRN:
    case VGG_OP_DROPOUT:
        break;
    }
    *out = in;
    return VGG_OK;
}

const char *vgg_node_type(const struct vgg_node *node)
{
    switch (node->op) {
    case VGG_OP_CONV2D:
        return "Conv2d";
    case VGG_OP_BATCH_NORM:
        return node->norm.flat ? "BatchNorm1d" : "BatchNorm2d";
    case VGG_OP_RELU:
        return "ReLU";
    case VGG_OP_LRN:
        return "LocalResponseNorm";
    case VGG_OP_MAX_POOL:
        return "MaxPool2d";
    case VGG_OP_ADAPTIVE_AVG_POOL:
        return "AdaptiveAvgPool2d";
    case VGG_OP_FLATTEN:
        return "Flatten";
    case VGG_OP_LINEAR:
        return "Linear";
    case VGG_OP_DROPOUT:
        return "Dropout";
    }
    return "unknown";
}
