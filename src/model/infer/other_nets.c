/* SPDX-License-Identifier: MIT */
/* Recognises nets that are not VGGs by tensor names that only they use. */
#include "model/infer/other_nets.h"

#include <stdbool.h>
#include <string.h>

/* Parts of tensor names. The first match counts: names that occur in several nets come last. */
static const struct {
    const char *part, *net;
} kinds[] = {
    {"layer1.0.conv1.", "a ResNet"},
    {"denseblock1.denselayer1.", "a DenseNet"},
    {".squeeze.weight", "a SqueezeNet"},
    {"inception3a.", "a GoogLeNet"},
    {"Mixed_5b.", "an Inception net"},
    {"relative_position_bias_table", "a Swin Transformer"},
    {"in_proj_weight", "a Transformer"},
    {"attn.qkv.weight", "a Transformer"},
    {"attention.self.query.weight", "a Transformer"},
    {"layer_scale", "a ConvNeXt"},
    {"features.1.conv.0.0.weight", "a MobileNet"},
    {".block.0.0.weight", "a MobileNet or an EfficientNet"},
    {"_blocks.0._depthwise_conv.", "an EfficientNet"},
    {"branch2.0.weight", "a ShuffleNet"},
    {"trunk_output.block1.", "a RegNet"},
    {"model.0.conv.weight", "a YOLO"},
    {"up1.conv", "a U-Net"},
};

/* Components of module names that stand for a second way through a net. */
static const char *const branches[] = {
    "shortcut", "skip", "skip_connection", "downsample", "residual", "res1", "res2",
    "res3",     "res4", "resblock",        "attention",  "attn",     "att",  "att1",
    "se",       "gate", "branch1",         "branch2",    "aux",      "aux1", "exit1",
    "lateral",  "fpn",
};

/* Components that stand for a ConvTranspose2d, whose weights have the shape of a convolution's. */
static const char *const transposed[] = {
    "up",
    "ups",
    "upconv",
    "up_conv",
    "upsample",
    "deconv",
    "deconvs",
    "decoder",
    "dec",
    "convtranspose",
    "convt",
    "convtranspose2d",
    "conv_transpose",
    "transpose",
    "transposed",
    "tconv",
    "trans_conv",
};

/* Whether a name has this component: "res1" of "res1.0.0.weight".
 *   numbered  digits can follow: "up3.weight" has "up" */
static bool has_component(const char *name, const char *component, bool numbered)
{
    const size_t length = strlen(component);
    for (const char *p = name; p != NULL && *p != '\0'; p = strchr(p, '.')) {
        p += *p == '.';
        const bool begins = strncmp(p, component, length) == 0;
        if (begins && p[length + (numbered ? strspn(p + length, "_0123456789") : 0)] == '.') {
            return true;
        }
    }
    return false;
}

const struct vgg_tensor *vgg_transposed_find(const struct vgg_tensor_list *tensors)
{
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        for (size_t t = 0; t < sizeof transposed / sizeof transposed[0] && tensor->ndim == 4; t++) {
            if (has_component(tensor->name, transposed[t], true)) {
                return tensor;
            }
        }
    }
    return NULL;
}

const struct vgg_tensor *vgg_front_find(const struct vgg_tensor_list *tensors)
{
    for (size_t i = 0; i < tensors->count; i++) {
        if (tensors->items[i]->ndim == 4 &&
            has_component(tensors->items[i]->name, "sobel", false)) {
            return tensors->items[i];
        }
    }
    return NULL;
}

const struct vgg_tensor *vgg_branch_find(const struct vgg_tensor_list *tensors)
{
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        for (size_t b = 0; b < sizeof branches / sizeof branches[0] && tensor->ndim > 1; b++) {
            if (has_component(tensor->name, branches[b], false)) {
                return tensor;
            }
        }
    }
    return NULL;
}

const char *vgg_other_net_find(const struct vgg_tensor_list *tensors,
                               const struct vgg_tensor **evidence)
{
    const struct vgg_tensor *first = vgg_tensor_list_find(tensors, "features.0.weight");
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < tensors->count; i++) {
            if (strstr(tensors->items[i]->name, kinds[k].part) != NULL) {
                *evidence = tensors->items[i];
                return kinds[k].net;
            }
        }
    }
    if (first != NULL && first->ndim == 4 && first->shape[2] == 11 && first->shape[3] == 11) {
        *evidence = first;
        return "an AlexNet";
    }
    return NULL;
}
