/* The nodes' shapes and names. */
#include "model/graph/graph.h"

#include <limits.h>

static vgg_status fail_channels(const struct vgg_node *node, int expected, struct vgg_shape in,
                                const char *path, struct vgg_error *err)
{
    return vgg_fail(err, VGG_ERR_MISMATCH,
                    "%s: %s: expected an input of %d channels, found %dx%dx%d", path, node->name,
                    expected, in.c, in.h, in.w);
}

/* Output size of a window that moves over padded pixels; 0 when it does not fit once. */
static int64_t count_windows(int size, int kernel, int stride, int padding)
{
    int64_t room = (int64_t)size + 2 * (int64_t)padding - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

static vgg_status infer_window(const struct vgg_node *node, int oc, int kernel, int stride,
                               int padding, struct vgg_shape in, struct vgg_shape *out,
                               const char *path, struct vgg_error *err)
{
    int64_t h = count_windows(in.h, kernel, stride, padding);
    int64_t w = count_windows(in.w, kernel, stride, padding);
    if (h < 1 || w < 1 || h > INT_MAX || w > INT_MAX) {
        int least = kernel - 2 * padding > 1 ? kernel - 2 * padding : 1;
        return vgg_fail(err, VGG_ERR_MISMATCH,
                        "%s: %s (%s): expected an input of at least %dx%d pixels, found %dx%d: the "
                        "image is too small for this net",
                        path, node->name, vgg_node_type(node), least, least, in.h, in.w);
    }
    *out = (struct vgg_shape){.c = oc, .h = (int)h, .w = (int)w};
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
        return infer_window(node, node->conv.oc, node->conv.kernel, node->conv.stride,
                            node->conv.padding, in, out, path, err);
    case VGG_OP_BATCH_NORM:
        if (in.c != node->norm.channels) {
            return fail_channels(node, node->norm.channels, in, path, err);
        }
        break;
    case VGG_OP_MAX_POOL:
        return infer_window(node, in.c, node->max_pool.kernel, node->max_pool.stride, 0, in, out,
                            path, err);
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
