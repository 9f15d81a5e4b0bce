/* The net as a chain of nodes: what model/ builds and plan/ reads. */
#ifndef VGG_MODEL_GRAPH_GRAPH_H
#define VGG_MODEL_GRAPH_GRAPH_H

#include <stdbool.h>

#include "base/status.h"
#include "checkpoint/tensor/layout.h"
#include "checkpoint/tensor/prepared.h"
#include "checkpoint/tensor/tensor.h"
#include "vgg/model.h"

enum vgg_op {
    VGG_OP_CONV2D,
    VGG_OP_BATCH_NORM,
    VGG_OP_RELU,
    VGG_OP_LRN,
    VGG_OP_MAX_POOL,
    VGG_OP_ADAPTIVE_AVG_POOL,
    VGG_OP_FLATTEN,
    VGG_OP_LINEAR,
    VGG_OP_DROPOUT, /* the identity when a net is run, kept so that every module has its node */
};

/* Geometry in pixels, square: VGG has no other. */
struct vgg_conv2d {
    int ic, oc;
    int kernel; /* side */
    int stride;
    int padding;
    bool
        dense; /* a fully connected layer that moves over a picture: its weights are read where they are */
    const struct vgg_tensor
        *weight;                   /* [oc][ic][kernel][kernel]; dense: [oc][ic * kernel * kernel] */
    const struct vgg_tensor *bias; /* [oc], or NULL */
    const struct vgg_prepared
        *prepared; /* [prepared_count] what a packed file has of the weight ready for
                                            kernels; the weight's own data is NULL if that is all */
    size_t prepared_count;
};

struct vgg_batch_norm {
    int channels;
    bool flat; /* BatchNorm1d: channels are the features of a linear layer */
    double eps;
    const struct vgg_tensor *weight, *bias;              /* [channels], or NULL: 1 and 0 */
    const struct vgg_tensor *running_mean, *running_var; /* [channels] */
};

/* Over the channels c - size / 2 to c + (size - 1) / 2: x / (k + alpha / size * Σ x²)^beta. */
struct vgg_lrn {
    int size;
    double alpha, beta, k;
};

struct vgg_max_pool {
    int kernel;
    int stride; /* no padding; a rest at the right and the bottom is dropped (ceil_mode false) */
};

/* Output pixel (i, j) is the mean over rows floor(i*h/oh) … ceil((i+1)*h/oh)-1, columns alike. */
struct vgg_adaptive_avg_pool {
    int oh, ow;
};

struct vgg_linear {
    int in_features, out_features;
    const struct vgg_tensor *weight; /* [out_features][in_features] */
    const struct vgg_tensor *bias;   /* [out_features], or NULL */
};

/* What a layer of an int8 net has beside its weights, which are int8 in the order of kernels/int8.h, and its
 * bias, which is int32 in units of input_scale * weight_scale. */
struct vgg_int8_layer {
    const struct vgg_tensor
        *weight_scale; /* [oc] float32: a weight is its integer times this; NULL in
                                              a float32 net */
    const struct vgg_tensor *weight_sum; /* [oc] int32, of the integers */
    float input_scale;  /* of the bytes it reads; 1 where their grid is in the weights */
    float output_scale; /* of the bytes it makes; 0: float32 logits */
};

struct vgg_node {
    enum vgg_op op;
    const char *name; /* the module path in torchvision: "features.3", "avgpool", "classifier.0";
                         FLATTEN, which is no module: "flatten" */
    union {
        struct vgg_conv2d conv;
        struct vgg_batch_norm norm;
        struct vgg_lrn lrn;
        struct vgg_max_pool max_pool;
        struct vgg_adaptive_avg_pool avg_pool;
        struct vgg_linear linear;
    };
    struct vgg_int8_layer int8; /* of a convolution or a linear layer */
};

/* Shape of one picture's activations: features after FLATTEN have h = w = 1. */
struct vgg_shape {
    int c, h, w;
};

/* Output shape of a node for an input shape. MISMATCH when the node cannot take the input, with a
 * message that names path, node, expected and found. */
vgg_status vgg_node_infer_shape(const struct vgg_node *node, struct vgg_shape in,
                                struct vgg_shape *out, const char *path, struct vgg_error *err);

/* "Conv2d", "BatchNorm2d", "ReLU", …: the module's class in PyTorch. */
const char *vgg_node_type(const struct vgg_node *node);

#endif
