/* SPDX-License-Identifier: MIT */
/* The nodes of a net: a chain in which each node reads the output of the node before it. */
#ifndef VGG_MODEL_GRAPH_GRAPH_H
#define VGG_MODEL_GRAPH_GRAPH_H

#include <stdbool.h>

#include "base/status.h"
#include "checkpoint/tensor/layout.h"
#include "checkpoint/tensor/prepacked_order.h"
#include "checkpoint/tensor/tensor.h"
#include "model/spec/layer.h"
#include "vgg/model.h"

enum vgg_op {
    /* The layers of VGGs, which have fast kernels. */
    VGG_OP_CONV2D,
    VGG_OP_BATCH_NORM,
    VGG_OP_RELU,
    VGG_OP_LRN,
    VGG_OP_MAX_POOL,
    VGG_OP_ADAPTIVE_AVG_POOL,
    VGG_OP_FLATTEN,
    VGG_OP_LINEAR,
    /* The identity when a net is run; it exists so that every module has a node. */
    VGG_OP_DROPOUT,
    /* The same and other layers in all their forms. */
    VGG_OP_GENERAL_CONV,
    VGG_OP_GENERAL_POOL,
    VGG_OP_ADAPTIVE_MAX_POOL,
    VGG_OP_CONCAT_POOL,
    VGG_OP_ACTIVATION,
    VGG_OP_ZERO_PAD,
    VGG_OP_SOFTMAX,
};

/* A convolution in one group, without dilation, whose kernel, stride and padding are the same in both directions, in
 * pixels. */
struct vgg_conv2d {
    int ic, oc;
    int kernel;
    int stride;
    int padding;
    /* A fully connected layer that moves over the image; its weights stay a matrix. */
    bool dense;
    /* [oc][ic][kernel][kernel]; dense: [oc][ic * kernel * kernel] */
    const struct vgg_tensor *weight;
    /* [oc], or NULL */
    const struct vgg_tensor *bias;
    /* [prepacked_count] the forms of the weight that a packed file has prepacked for kernels; the weight's own
     * data is NULL if the file has nothing else. */
    const struct vgg_prepacked *prepacked;
    size_t prepacked_count;
};

struct vgg_batch_norm {
    int channels;
    /* BatchNorm1d: channels are the features of a linear layer. */
    bool flat;
    double eps;
    /* [channels]; NULL: 1 and 0 */
    const struct vgg_tensor *weight, *bias;
    /* [channels] */
    const struct vgg_tensor *running_mean, *running_var;
};

/* Without padding; pixels at the right and the bottom that fill no window are dropped (ceil_mode false). */
struct vgg_max_pool {
    int kernel;
    int stride;
};

/* Output pixel (i, j) is the mean or the maximum over rows floor(i*h/oh) … ceil((i+1)*h/oh)-1, columns alike.
 * CONCAT_POOL: the channels of the maximum, then those of the mean. */
struct vgg_adaptive_pool {
    /* 0: as many as the input has. */
    int oh, ow;
    /* Larger features are not averaged but refused: the net's first linear layer moves over them. */
    bool only_enlarges;
};

/* Any other convolution: a kernel with two sides, dilation, groups, padding that differs from side to side. */
struct vgg_general_conv {
    int ic, oc, groups;
    struct vgg_window window;
    /* [oc][ic / groups][kernel.h][kernel.w] */
    const struct vgg_tensor *weight;
    /* [oc], or NULL */
    const struct vgg_tensor *bias;
};

struct vgg_activation_op {
    enum vgg_activation_kind kind;
    double slope;
    /* Of PRELU: [1] or [channels] */
    const struct vgg_tensor *slopes;
};

struct vgg_linear {
    int in_features, out_features;
    /* [out_features][in_features] */
    const struct vgg_tensor *weight;
    /* [out_features], or NULL */
    const struct vgg_tensor *bias;
};

/* What a layer of an int8 net has in addition to its weights, which are int8 in the order of kernels/int8.h, and
 * its bias, which is int32 in units of input_scale * weight_scale. */
struct vgg_int8_layer {
    /* [oc] float32: a weight is its integer times this; NULL in a float32 net */
    const struct vgg_tensor *weight_scale;
    /* [oc] int32, the sums of each channel's integers */
    const struct vgg_tensor *weight_sum;
    /* The scale of the bytes that the layer reads; 1 for the first layer, whose weights contain it. */
    float input_scale;
    /* The scale of the bytes that the layer writes; 0: it writes float32 logits. */
    float output_scale;
};

struct vgg_node {
    enum vgg_op op;
    /* The module path in torchvision: "features.3", "avgpool", "classifier.0"; FLATTEN, which is not a module in
     * torchvision, is "flatten". */
    const char *name;
    union {
        struct vgg_conv2d conv;
        struct vgg_batch_norm norm;
        struct vgg_lrn lrn;
        struct vgg_max_pool max_pool;
        struct vgg_adaptive_pool adaptive_pool;
        struct vgg_linear linear;
        struct vgg_general_conv general_conv;
        struct vgg_general_pool general_pool;
        struct vgg_activation_op activation;
        struct vgg_margins zero_pad;
        struct vgg_softmax softmax;
    };
    /* Of a convolution or a linear layer. */
    struct vgg_int8_layer int8;
};

/* Computes the output shape of a node for an input shape. MISMATCH when the node cannot take the input; the
 * message names path, node, expected and found. */
vgg_status vgg_node_infer_shape(const struct vgg_node *node, struct vgg_shape in,
                                struct vgg_shape *out, const char *path, struct vgg_error *err);

/* The class of the module in PyTorch: "Conv2d", "BatchNorm2d", "ReLU", … */
const char *vgg_node_type(const struct vgg_node *node);

/* The weights of a convolution or a linear layer; NULL: the node is another. */
const struct vgg_tensor *vgg_node_get_weight(const struct vgg_node *node);

#endif
