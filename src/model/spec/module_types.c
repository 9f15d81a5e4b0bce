/* SPDX-License-Identifier: MIT */
/* The classes of PyTorch that can be run, by name. */
#include "model/spec/module_types.h"

#include <string.h>

static const struct {
    const char *name;
    enum vgg_layer_kind kind;
} types[] = {
    {"Conv2d", VGG_LAYER_CONV},
    {"ParametrizedConv2d", VGG_LAYER_CONV},
    {"BatchNorm2d", VGG_LAYER_BATCH_NORM},
    {"BatchNorm1d", VGG_LAYER_BATCH_NORM},
    {"SyncBatchNorm", VGG_LAYER_BATCH_NORM},
    {"LocalResponseNorm", VGG_LAYER_LRN},
    {"MaxPool2d", VGG_LAYER_POOL},
    {"AvgPool2d", VGG_LAYER_POOL},
    {"AdaptiveAvgPool2d", VGG_LAYER_ADAPTIVE_POOL},
    {"AdaptiveMaxPool2d", VGG_LAYER_ADAPTIVE_POOL},
    {"AdaptiveConcatPool2d", VGG_LAYER_ADAPTIVE_POOL},
    {"ZeroPad2d", VGG_LAYER_ZERO_PAD},
    {"Flatten", VGG_LAYER_FLATTEN},
    {"Linear", VGG_LAYER_LINEAR},
    {"ParametrizedLinear", VGG_LAYER_LINEAR},
    {"Dropout", VGG_LAYER_IDENTITY},
    {"Dropout1d", VGG_LAYER_IDENTITY},
    {"Dropout2d", VGG_LAYER_IDENTITY},
    {"Dropout3d", VGG_LAYER_IDENTITY},
    {"AlphaDropout", VGG_LAYER_IDENTITY},
    {"FeatureAlphaDropout", VGG_LAYER_IDENTITY},
    {"Identity", VGG_LAYER_IDENTITY},
    {"Softmax", VGG_LAYER_SOFTMAX},
    {"LogSoftmax", VGG_LAYER_SOFTMAX},
};

/* By enum vgg_activation_kind. GELU_TANH has the class of GELU. */
static const struct {
    const char *name;
    double slope;
} activations[] = {
    [VGG_ACTIVATION_RELU] = {"ReLU", 0},       [VGG_ACTIVATION_LEAKY_RELU] = {"LeakyReLU", 0.01},
    [VGG_ACTIVATION_PRELU] = {"PReLU", 0},     [VGG_ACTIVATION_ELU] = {"ELU", 1},
    [VGG_ACTIVATION_GELU] = {"GELU", 0},       [VGG_ACTIVATION_GELU_TANH] = {"GELU", 0},
    [VGG_ACTIVATION_SILU] = {"SiLU", 0},       [VGG_ACTIVATION_TANH] = {"Tanh", 0},
    [VGG_ACTIVATION_SIGMOID] = {"Sigmoid", 0}, [VGG_ACTIVATION_HARDSWISH] = {"Hardswish", 0},
    [VGG_ACTIVATION_RELU6] = {"ReLU6", 0},
};
enum { ACTIVATION_COUNT = sizeof activations / sizeof activations[0] };

static int find_activation(const char *type)
{
    int kind = 0;
    while (kind < ACTIVATION_COUNT && strcmp(activations[kind].name, type) != 0) {
        kind++;
    }
    return kind;
}

bool vgg_module_type_find(const char *type, enum vgg_layer_kind *kind)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, type) == 0) {
            *kind = types[i].kind;
            return true;
        }
    }
    *kind = VGG_LAYER_ACTIVATION;
    return find_activation(type) < ACTIVATION_COUNT;
}

struct vgg_activation_layer vgg_activation_find(const char *type)
{
    const int found = find_activation(type);
    const int kind = found < ACTIVATION_COUNT ? found : VGG_ACTIVATION_RELU;
    return (struct vgg_activation_layer){
        .kind = (enum vgg_activation_kind)kind,
        .slope = activations[kind].slope,
        .slopes = kind == VGG_ACTIVATION_PRELU ? 1 : 0,
    };
}

const char *vgg_activation_name(enum vgg_activation_kind kind)
{
    return activations[kind].name;
}

static const char *name_adaptive(enum vgg_adaptive_kind kind)
{
    return kind == VGG_ADAPTIVE_AVG   ? "AdaptiveAvgPool2d"
           : kind == VGG_ADAPTIVE_MAX ? "AdaptiveMaxPool2d"
                                      : "AdaptiveConcatPool2d";
}

const char *vgg_layer_type(const struct vgg_layer *layer)
{
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        return "Conv2d";
    case VGG_LAYER_BATCH_NORM:
        return "BatchNorm2d";
    case VGG_LAYER_ACTIVATION:
        return vgg_activation_name(layer->activation.kind);
    case VGG_LAYER_LRN:
        return "LocalResponseNorm";
    case VGG_LAYER_POOL:
        return layer->pool.average ? "AvgPool2d" : "MaxPool2d";
    case VGG_LAYER_ADAPTIVE_POOL:
        return name_adaptive(layer->adaptive.kind);
    case VGG_LAYER_ZERO_PAD:
        return "ZeroPad2d";
    case VGG_LAYER_FLATTEN:
        return "Flatten";
    case VGG_LAYER_LINEAR:
        return "Linear";
    case VGG_LAYER_IDENTITY:
        return "Dropout";
    case VGG_LAYER_SOFTMAX:
        return layer->softmax.log ? "LogSoftmax" : "Softmax";
    }
    return "unknown";
}
