/* SPDX-License-Identifier: MIT */
/* Computes the output shape of a node, and names its type. */
#include "model/graph/graph.h"

#include <limits.h>

#include "model/spec/module_types.h"
#include "model/spec/window.h"

static vgg_status fail_channels(const struct vgg_node *node, int expected, struct vgg_shape in,
                                const char *path, struct vgg_error *err)
{
    return vgg_fail(err, VGG_ERR_MISMATCH,
                    "%s: %s: expected an input of %d channels, found %dx%dx%d", path, node->name,
                    expected, in.c, in.h, in.w);
}

static vgg_status infer_window(const struct vgg_node *node, const struct vgg_window *window,
                               struct vgg_shape *shape, const char *path, struct vgg_error *err)
{
    if (!vgg_window_move(window, shape)) {
        const struct vgg_pixels min = vgg_window_get_min(window);
        return vgg_fail(err, VGG_ERR_MISMATCH,
                        "%s: %s (%s): expected an input of at least %dx%d pixels, found %dx%d: the "
                        "image is too small for this net",
                        path, node->name, vgg_node_type(node), min.h, min.w, shape->h, shape->w);
    }
    return VGG_OK;
}

static vgg_status infer_conv(const struct vgg_node *node, struct vgg_shape *shape, const char *path,
                             struct vgg_error *err)
{
    const bool general = node->op == VGG_OP_GENERAL_CONV;
    const struct vgg_window window =
        general ? node->general_conv.window
                : vgg_window_square(node->conv.kernel, node->conv.stride, node->conv.padding);
    const int ic = general ? node->general_conv.ic : node->conv.ic;
    if (shape->c != ic) {
        return fail_channels(node, ic, *shape, path, err);
    }
    shape->c = general ? node->general_conv.oc : node->conv.oc;
    return infer_window(node, &window, shape, path, err);
}

static vgg_status infer_pool(const struct vgg_node *node, struct vgg_shape *shape, const char *path,
                             struct vgg_error *err)
{
    const struct vgg_window window =
        node->op == VGG_OP_GENERAL_POOL
            ? node->general_pool.window
            : vgg_window_square(node->max_pool.kernel, node->max_pool.stride, 0);
    return infer_window(node, &window, shape, path, err);
}

static vgg_status infer_zero_pad(const struct vgg_node *node, struct vgg_shape *shape,
                                 const char *path, struct vgg_error *err)
{
    const struct vgg_margins pad = node->zero_pad;
    const int64_t h = (int64_t)shape->h + pad.top + pad.bottom;
    const int64_t w = (int64_t)shape->w + pad.left + pad.right;
    if (h < 1 || w < 1 || h > INT_MAX || w > INT_MAX) {
        return vgg_fail(err, VGG_ERR_MISMATCH, "%s: %s (%s): %dx%d pixels cannot be padded", path,
                        node->name, vgg_node_type(node), shape->h, shape->w);
    }
    shape->h = (int)h;
    shape->w = (int)w;
    return VGG_OK;
}

static vgg_status infer_adaptive(const struct vgg_node *node, struct vgg_shape *shape,
                                 const char *path, struct vgg_error *err)
{
    const struct vgg_adaptive_pool *pool = &node->adaptive_pool;
    if (pool->only_enlarges && (shape->h > pool->oh || shape->w > pool->ow)) {
        return vgg_fail(
            err, VGG_ERR_MISMATCH,
            "%s: %s: expected at most %dx%d pixels, found %dx%d: the linear layers are "
            "stored as filters, which move over a larger image as in a dense evaluation",
            path, node->name, pool->oh, pool->ow, shape->h, shape->w);
    }
    shape->h = pool->oh > 0 ? pool->oh : shape->h;
    shape->w = pool->ow > 0 ? pool->ow : shape->w;
    if (node->op == VGG_OP_CONCAT_POOL) {
        if (shape->c > INT_MAX / 2) {
            return fail_channels(node, INT_MAX / 2, *shape, path, err);
        }
        shape->c *= 2;
    }
    return VGG_OK;
}

/* Activations whose slopes are one for each channel need as many channels. */
static vgg_status check_slopes(const struct vgg_node *node, struct vgg_shape in, const char *path,
                               struct vgg_error *err)
{
    const struct vgg_tensor *slopes = node->activation.slopes;
    const int64_t count = slopes != NULL ? vgg_tensor_get_count(slopes) : 1;
    return count == 1 || count == in.c ? VGG_OK : fail_channels(node, (int)count, in, path, err);
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
    *out = in;
    switch (node->op) {
    case VGG_OP_CONV2D:
    case VGG_OP_GENERAL_CONV:
        return infer_conv(node, out, path, err);
    case VGG_OP_BATCH_NORM:
        return in.c == node->norm.channels
                   ? VGG_OK
                   : fail_channels(node, node->norm.channels, in, path, err);
    case VGG_OP_MAX_POOL:
    case VGG_OP_GENERAL_POOL:
        return infer_pool(node, out, path, err);
    case VGG_OP_ADAPTIVE_AVG_POOL:
    case VGG_OP_ADAPTIVE_MAX_POOL:
    case VGG_OP_CONCAT_POOL:
        return infer_adaptive(node, out, path, err);
    case VGG_OP_ZERO_PAD:
        return infer_zero_pad(node, out, path, err);
    case VGG_OP_FLATTEN:
        return infer_flatten(node, in, out, path, err);
    case VGG_OP_LINEAR:
        if (in.c != node->linear.in_features || in.h != 1 || in.w != 1) {
            return vgg_fail(err, VGG_ERR_MISMATCH, "%s: %s: expected %d features, found %dx%dx%d",
                            path, node->name, node->linear.in_features, in.c, in.h, in.w);
        }
        out->c = node->linear.out_features;
        return VGG_OK;
    case VGG_OP_ACTIVATION:
        return check_slopes(node, in, path, err);
    case VGG_OP_RELU:
    case VGG_OP_LRN:
    case VGG_OP_DROPOUT:
    case VGG_OP_SOFTMAX:
        break;
    }
    return VGG_OK;
}

const char *vgg_node_type(const struct vgg_node *node)
{
    switch (node->op) {
    case VGG_OP_CONV2D:
    case VGG_OP_GENERAL_CONV:
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
    case VGG_OP_GENERAL_POOL:
        return node->general_pool.average ? "AvgPool2d" : "MaxPool2d";
    case VGG_OP_ADAPTIVE_MAX_POOL:
        return "AdaptiveMaxPool2d";
    case VGG_OP_CONCAT_POOL:
        return "AdaptiveConcatPool2d";
    case VGG_OP_ACTIVATION:
        return vgg_activation_name(node->activation.kind);
    case VGG_OP_ZERO_PAD:
        return "ZeroPad2d";
    case VGG_OP_SOFTMAX:
        return node->softmax.log ? "LogSoftmax" : "Softmax";
    }
    return "unknown";
}

const struct vgg_tensor *vgg_node_get_weight(const struct vgg_node *node)
{
    switch (node->op) {
    case VGG_OP_CONV2D:
        return node->conv.weight;
    case VGG_OP_GENERAL_CONV:
        return node->general_conv.weight;
    case VGG_OP_LINEAR:
        return node->linear.weight;
    default:
        return NULL;
    }
}
