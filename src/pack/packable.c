/* SPDX-License-Identifier: MIT */
/* Which models can be written into a packed file. */
#include "model/view.h"
#include "pack/packable.h"

/* The first tensor of a layer; NULL: it has none. */
static const struct vgg_tensor *get_tensor(const struct vgg_node *node)
{
    switch (node->op) {
    case VGG_OP_BATCH_NORM:
        return node->norm.running_mean;
    case VGG_OP_ACTIVATION:
        return node->activation.slopes;
    default:
        return vgg_node_get_weight(node);
    }
}

/* A packed file has the weights of each layer under the layer's name, with its own BatchNorm folded in. */
static vgg_status check_own_weights(const vgg_model *model, struct vgg_error *err)
{
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    for (size_t i = 0; i < count; i++) {
        const struct vgg_tensor *tensor = get_tensor(&nodes[i]);
        for (size_t j = 0; tensor != NULL && j < i; j++) {
            if (get_tensor(&nodes[j]) == tensor) {
                return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                                "%s: %s: expected weights of its own, found those of two layers: "
                                "the net cannot be packed",
                                vgg_model_get_path(model), nodes[i].name);
            }
        }
    }
    return VGG_OK;
}

vgg_status vgg_model_check_packable(const vgg_model *model, struct vgg_error *err)
{
    struct vgg_model_info info;
    vgg_model_get_info(model, &info);
    if (info.int8) {
        return vgg_fail(
            err, VGG_ERR_ARGUMENT,
            "%s: expected float weights, got int8: pack the checkpoint that they were made "
            "from",
            vgg_model_get_path(model));
    }
    if (info.dense) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "%s: expected no dense evaluation, which can be requested when the packed "
                        "net is run",
                        vgg_model_get_path(model));
    }
    const vgg_status status = check_own_weights(model, err);
    return status ? status : vgg_model_check_weights(model, err);
}

vgg_status vgg_model_check_plain(const vgg_model *model, struct vgg_error *err)
{
    size_t count;
    const struct vgg_node *nodes = vgg_model_get_nodes(model, &count);
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].op == VGG_OP_CONV2D && nodes[i].conv.weight->layout == VGG_LAYOUT_PREPACKED) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: expected plain weights, got only weights prepacked for some "
                            "CPUs: pack the "
                            "checkpoint that the file was made from",
                            vgg_model_get_path(model), nodes[i].name);
        }
    }
    return VGG_OK;
}
