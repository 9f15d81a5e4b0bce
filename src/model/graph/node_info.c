/* SPDX-License-Identifier: MIT */
/* Counts the parameters and operations of a node. */
#include "model/graph/node_info.h"

/* Adds a tensor to the sums; NULL adds nothing.
 *   is_parameter  false for BatchNorm's statistics, which are not trained */
static void add_tensor(const struct vgg_tensor *tensor, bool is_parameter,
                       struct vgg_node_info *info)
{
    if (tensor == NULL) {
        return;
    }
    uint64_t elements = 1;
    for (int i = 0; i < tensor->ndim; i++) {
        elements *= (uint64_t)tensor->shape[i];
    }
    info->parameters += is_parameter ? elements : 0;
    info->weight_bytes += elements * vgg_dtype_get_bytes(tensor->dtype);
}

void vgg_node_get_info(const struct vgg_node *node, struct vgg_shape shape,
                       struct vgg_node_info *info)
{
    *info = (struct vgg_node_info){
        .name = node->name,
        .type = vgg_node_type(node),
        .channels = shape.c,
        .height = shape.h,
        .width = shape.w,
    };
    if (node->op == VGG_OP_CONV2D) {
        const struct vgg_conv2d *conv = &node->conv;
        add_tensor(conv->weight, true, info);
        add_tensor(conv->bias, true, info);
        info->multiply_adds =
            (double)conv->ic * conv->oc * conv->kernel * conv->kernel * shape.h * shape.w;
    } else if (node->op == VGG_OP_GENERAL_CONV) {
        const struct vgg_general_conv *conv = &node->general_conv;
        add_tensor(conv->weight, true, info);
        add_tensor(conv->bias, true, info);
        info->multiply_adds = (double)conv->ic / conv->groups * conv->oc * conv->window.kernel.h *
                              conv->window.kernel.w * shape.h * shape.w;
    } else if (node->op == VGG_OP_ACTIVATION) {
        add_tensor(node->activation.slopes, true, info);
    } else if (node->op == VGG_OP_BATCH_NORM) {
        add_tensor(node->norm.weight, true, info);
        add_tensor(node->norm.bias, true, info);
        add_tensor(node->norm.running_mean, false, info);
        add_tensor(node->norm.running_var, false, info);
    } else if (node->op == VGG_OP_LINEAR) {
        add_tensor(node->linear.weight, true, info);
        add_tensor(node->linear.bias, true, info);
        info->multiply_adds = (double)node->linear.in_features * shape.c;
    }
}
