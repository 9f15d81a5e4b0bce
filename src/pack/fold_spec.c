/* SPDX-License-Identifier: MIT */
/* The description of a net after BatchNorm is folded into the layers before it. */
#include "pack/fold_spec.h"

vgg_status vgg_spec_fold(const struct vgg_load *load, const struct vgg_spec *spec,
                         struct vgg_spec *out)
{
    *out = *spec;
    out->features = out->classifier = NULL;
    out->layers = vgg_load_alloc(load, spec->layer_count, sizeof *out->layers);
    out->head = vgg_load_alloc(load, spec->head_count, sizeof *out->head);
    if (out->layers == NULL || out->head == NULL) {
        return vgg_load_fail_memory(load, spec->layer_count * sizeof *out->layers, "the layers");
    }
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *layer = &out->layers[i];
        *layer = spec->layers[i];
        layer->bias = layer->bias || layer->batch_norm;
        layer->batch_norm = false;
        layer->name = layer->norm = NULL;
    }
    for (size_t i = 0, norms = 0; i < spec->head_count; i++) {
        struct vgg_head *head = &out->head[i];
        *head = spec->head[i];
        head->index -= (int)norms; /* the indices of BatchNorms before it are gone */
        norms += head->batch_norm;
        head->bias = head->bias || head->batch_norm;
        head->batch_norm = false;
        head->name = head->norm = NULL;
    }
    return VGG_OK;
}
