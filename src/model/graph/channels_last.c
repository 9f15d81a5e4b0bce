/* SPDX-License-Identifier: MIT */
/* Features that are flattened in the order height, width, channels. The weights that take them are read in another order
 * instead: the last dimension of a weight is split into [channels][places] by strides, without a copy. */
#include "model/graph/channels_last.h"

#include "model/graph/tensors.h"

/* Makes *slot a view in the order channels, height, width. NULL stays. */
static vgg_status reorder(const struct vgg_load *load, int channels, const struct vgg_tensor **slot)
{
    const struct vgg_tensor *tensor = *slot;
    const int last = tensor != NULL ? tensor->ndim - 1 : 0;
    if (tensor == NULL || tensor->shape[last] == 1) {
        return VGG_OK;
    }
    if (tensor->layout != VGG_LAYOUT_ROWS) {
        return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected weights in PyTorch's order for features in the order "
                        "height, width, channels, found packed ones: pack the net again with this "
                        "description",
                        load->path, tensor->name);
    }
    if (tensor->shape[last] % channels != 0) {
        return vgg_fail(load->err, VGG_ERR_MISMATCH,
                        "%s: %s: expected a multiple of %d features, the channels before Flatten, "
                        "got %lld",
                        load->path, tensor->name, channels, (long long)tensor->shape[last]);
    }
    struct vgg_tensor *view = vgg_load_alloc(load, 1, sizeof *view);
    if (view == NULL) {
        return vgg_load_fail_memory(load, sizeof *view, "a tensor");
    }
    *view = *tensor;
    view->ndim = last + 2;
    view->shape[last] = channels;
    view->shape[last + 1] = tensor->shape[last] / channels;
    view->stride[last + 1] = channels * tensor->stride[last];
    *slot = view;
    return VGG_OK;
}

static vgg_status reorder_node(const struct vgg_load *load, int channels, struct vgg_node *node)
{
    if (node->op == VGG_OP_LINEAR) {
        return reorder(load, channels, &node->linear.weight);
    }
    if (node->op == VGG_OP_ACTIVATION) {
        return reorder(load, channels, &node->activation.slopes);
    }
    if (node->op != VGG_OP_BATCH_NORM) {
        return VGG_OK;
    }
    struct vgg_batch_norm *norm = &node->norm;
    vgg_status status = reorder(load, channels, &norm->weight);
    status = status ? status : reorder(load, channels, &norm->bias);
    status = status ? status : reorder(load, channels, &norm->running_mean);
    return status ? status : reorder(load, channels, &norm->running_var);
}

vgg_status vgg_graph_reorder_features(const struct vgg_load *load, const struct vgg_spec *spec,
                                      struct vgg_graph *graph)
{
    vgg_status status = VGG_OK;
    int channels = 0;
    for (size_t i = 0; i < spec->layer_count && status == VGG_OK; i++) { /* each layer is a node */
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_FLATTEN && layer->flatten.channels_last) {
            channels = layer->flatten.channels;
        } else if (channels > 0) {
            status = reorder_node(load, channels, &graph->nodes[i]);
        }
        if (layer->kind == VGG_LAYER_LINEAR) {
            channels = 0;
        }
    }
    return status;
}
