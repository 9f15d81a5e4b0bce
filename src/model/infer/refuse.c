/* SPDX-License-Identifier: MIT */
/* Says why a checkpoint is no net that can be run. */
#include "model/infer/refuse.h"

#include <string.h>

#include "model/infer/other_nets.h"

vgg_status vgg_refuse_no_vgg(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                             const struct vgg_error *reason)
{
    struct vgg_text first = {0};
    char shape[VGG_SHAPE_TEXT_BYTES];
    for (size_t i = 0; i < tensors->count && i < 5; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        vgg_text_add(&first, "%s%.100s %s", i > 0 ? ", " : "", tensor->name,
                     vgg_shape_text(tensor->shape, tensor->ndim, shape));
    }
    return vgg_fail_hint(
        load->err, VGG_ERR_FORMAT, reason->hint,
        "%s: no VGG to be seen in this checkpoint: %s%s; %s%s%s", load->path,
        reason->message[0] != '\0' ? "expected a chain of layers, but in their order "
                                   : "it has no features.N.weight convolution",
        reason->message, tensors->count > 0 ? "first tensors: " : "it has no tensors", first.buffer,
        tensors->count > 5 ? ", …" : "");
}

/* Finds a tensor that only layers quantised by PyTorch have: their weight may be no tensor. */
static const struct vgg_tensor *find_quantised(const struct vgg_tensor_list *tensors)
{
    static const char *const leaves[] = {".zero_point", ".weight_fake_quant.scale",
                                         ".activation_post_process.scale"};
    for (size_t i = 0; i < tensors->count; i++) {
        const size_t length = strlen(tensors->items[i]->name);
        for (size_t l = 0; l < sizeof leaves / sizeof leaves[0]; l++) {
            const size_t tail = strlen(leaves[l]);
            if (length > tail && strcmp(tensors->items[i]->name + length - tail, leaves[l]) == 0) {
                return tensors->items[i];
            }
        }
    }
    return NULL;
}

vgg_status vgg_refuse_unsupported(const struct vgg_load *load,
                                  const struct vgg_tensor_list *tensors)
{
    const struct vgg_tensor *quantised = find_quantised(tensors);
    const struct vgg_tensor *front = vgg_front_find(tensors);
    const struct vgg_tensor *branch = vgg_branch_find(tensors);
    const struct vgg_tensor *transposed = vgg_transposed_find(tensors);
    if (quantised != NULL) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: %s: a quantised layer is not supported: save the float model that it "
                        "was made from",
                        load->path, quantised->name);
    }
    if (transposed != NULL) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: %s: by its name a transposed convolution, expected convolutions "
                        "(Conv2d)",
                        load->path, transposed->name);
    }
    if (front != NULL) {
        return vgg_fail_hint(load->err, VGG_ERR_FORMAT, VGG_HINT_SPEC,
                             "%s: %s: by its name a Sobel filter in front of the net, as in "
                             "DeepCluster: expected a net that takes the image itself, or a "
                             "description whose first layers are the filter's convolutions",
                             load->path, front->name);
    }
    return branch == NULL
               ? VGG_OK
               : vgg_fail(
                     load->err, VGG_ERR_FORMAT,
                     "%s: %s: by its name a branch of the net (a skip connection, attention or "
                     "a second output), expected a chain of layers",
                     load->path, branch->name);
}

/* Whether the last convolution gives scores of classes: 1x1, in another Sequential than the first. */
static bool is_classifier(const struct vgg_sites *sites)
{
    const struct vgg_site *first = sites->convs[0].site;
    const struct vgg_site *last = sites->convs[sites->conv_count - 1].site;
    return last->weight->shape[2] == 1 && last->weight->shape[3] == 1 &&
           !vgg_site_is_beside(first, last);
}

vgg_status vgg_refuse_features_alone(const struct vgg_load *load,
                                     const struct vgg_tensor_list *tensors,
                                     const struct vgg_sites *sites)
{
    (void)tensors;
    if (sites->linear_count > 0 || is_classifier(sites)) {
        return VGG_OK;
    }
    return vgg_fail(load->err, VGG_ERR_FORMAT,
                    "%s: expected a classifier, found convolutions alone (%.100s … %.100s): "
                    "features without a classifier give no classes",
                    load->path, sites->convs[0].site->weight->name,
                    sites->convs[sites->conv_count - 1].site->weight->name);
}
