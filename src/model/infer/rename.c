/* SPDX-License-Identifier: MIT */
/* Gives the layers of a description the names that they have in a checkpoint. */
#include "model/infer/rename.h"

#include "model/infer/sites.h"
#include "model/spec/layers.h"

/* Whether the checkpoint has the weight of every convolution and linear layer under its name. */
static bool has_names(const struct vgg_tensor_list *tensors, const struct vgg_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (vgg_layer_has_weights(layer) &&
            (layer->name == NULL ||
             vgg_tensor_list_findf(tensors, "%s.weight", layer->name) == NULL)) {
            return false;
        }
    }
    return true;
}

/* Whether some name of the description is in the checkpoint: then it is incomplete, and binding lists what is missing. */
static bool has_some_name(const struct vgg_tensor_list *tensors, const struct vgg_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (vgg_layer_has_weights(layer) && layer->name != NULL &&
            vgg_tensor_list_findf(tensors, "%s.weight", layer->name) != NULL) {
            return true;
        }
    }
    return false;
}

static vgg_status fail_counts(const struct vgg_load *load, const struct vgg_spec *spec,
                              const struct vgg_sites *sites)
{
    return vgg_fail(
        load->err, VGG_ERR_MISMATCH,
        "%s: expected %zu convolutions and %zu linear layers as described, found %zu (%s …) and "
        "%zu (%s …)",
        load->path, vgg_spec_count(spec, VGG_LAYER_CONV), vgg_spec_count(spec, VGG_LAYER_LINEAR),
        sites->conv_count, sites->convs[0].site->name, sites->linear_count,
        sites->linear_count > 0 ? sites->linears[0].site->name : "none");
}

/* The name of a BatchNorm or PReLU after a layer of the checkpoint, or before the next one; NULL: it has none. */
static const char *find_beside(const struct vgg_weighted *layer, const struct vgg_weighted *next,
                               enum vgg_layer_kind kind)
{
    const struct vgg_site *site = NULL;
    if (kind == VGG_LAYER_BATCH_NORM) {
        site = layer != NULL && layer->norm != NULL ? layer->norm
               : next != NULL                       ? next->norm_before
                                                    : NULL;
    } else if (layer != NULL) {
        site = layer->prelu;
    }
    return site != NULL ? site->name : NULL;
}

static bool has_parameters(const struct vgg_layer *layer)
{
    return layer->kind == VGG_LAYER_BATCH_NORM ||
           (layer->kind == VGG_LAYER_ACTIVATION && layer->activation.kind == VGG_ACTIVATION_PRELU);
}

static void take_names(const struct vgg_sites *sites, struct vgg_spec *spec)
{
    const struct vgg_weighted *layer = NULL;
    size_t conv = 0, linear = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *described = &spec->layers[i];
        if (described->kind == VGG_LAYER_CONV) {
            layer = &sites->convs[conv++];
        } else if (described->kind == VGG_LAYER_LINEAR) {
            layer = &sites->linears[linear++];
        }
        if (vgg_layer_has_weights(described)) {
            described->name = layer->site->name;
        } else if (has_parameters(described)) {
            const struct vgg_weighted *next =
                linear < sites->linear_count ? &sites->linears[linear] : NULL;
            const char *name = find_beside(layer, next, described->kind);
            described->name = name != NULL ? name : described->name;
        } else if (described->kind == VGG_LAYER_ACTIVATION) {
            described->name = NULL;
        }
    }
}

vgg_status vgg_spec_rename(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                           struct vgg_spec *spec)
{
    struct vgg_load silent = *load;
    struct vgg_sites sites;
    silent.err = NULL;
    if (has_names(tensors, spec)) {
        return vgg_layers_name(load, spec);
    }
    vgg_status status = vgg_sites_find(&silent, tensors, &sites);
    if (status == VGG_ERR_MEMORY) {
        return vgg_load_fail_memory(load, 1, "the layers");
    }
    if (status != VGG_OK) {
        return vgg_layers_name(load, spec); /* binding reports what is missing */
    }
    if (vgg_spec_count(spec, VGG_LAYER_CONV) != sites.conv_count ||
        vgg_spec_count(spec, VGG_LAYER_LINEAR) != sites.linear_count) {
        return has_some_name(tensors, spec) ? vgg_layers_name(load, spec)
                                            : fail_counts(load, spec, &sites);
    }
    take_names(&sites, spec);
    return vgg_layers_name(load, spec);
}
