/* SPDX-License-Identifier: MIT */
/* Defaults for what a description leaves open, and the comparison of two descriptions. */
#include "model/spec/defaults.h"

#include <string.h>

int vgg_spec_natural_input(const struct vgg_spec *spec)
{
    int64_t side = spec->avgpool;
    for (size_t i = spec->layer_count; i-- > 0;) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind != VGG_LAYER_CONV && layer->kind != VGG_LAYER_MAX_POOL) {
            continue;
        }
        side = (side - 1) * layer->stride + layer->kernel - 2 * (int64_t)layer->padding;
        side = side < 1 ? 1 : side > VGG_MAX_SIDE ? VGG_MAX_SIDE : side;
    }
    return (int)side;
}

vgg_status vgg_spec_default_preprocess(int input, struct vgg_preprocess *out, struct vgg_error *err)
{
    vgg_status status = vgg_preprocess_find(input == 32 ? "cifar" : "imagenet", out, err);
    if (status == VGG_OK && out->crop != input) {
        strcpy(out->name, "custom");
        out->resize = input;
        out->crop = input;
    }
    return status;
}

static size_t count_without_last_pools(const struct vgg_spec *spec)
{
    size_t count = spec->layer_count;
    while (count > 0 && spec->layers[count - 1].kind == VGG_LAYER_MAX_POOL) {
        count--;
    }
    return count;
}

static bool same_layer(const struct vgg_layer *a, const struct vgg_layer *b)
{
    return a->kind == b->kind && a->channels == b->channels && a->kernel == b->kernel &&
           a->stride == b->stride && a->padding == b->padding && a->bias == b->bias &&
           a->batch_norm == b->batch_norm && a->alpha == b->alpha && a->beta == b->beta &&
           a->k == b->k;
}

bool vgg_spec_same_features(const struct vgg_spec *a, const struct vgg_spec *b)
{
    size_t count = count_without_last_pools(a);
    if (count != count_without_last_pools(b)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!same_layer(&a->layers[i], &b->layers[i])) {
            return false;
        }
    }
    return true;
}
