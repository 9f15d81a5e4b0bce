/* SPDX-License-Identifier: MIT */
/* The description of a net whose BatchNorm is folded into the layers before it, and whose features are flattened in the
 * order channels, height, width. */
#include "pack/fold_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a layer is a BatchNorm that is folded into the layer before it. */
static bool is_folded(const struct vgg_spec *spec, size_t i)
{
    return i > 0 && spec->layers[i].kind == VGG_LAYER_BATCH_NORM &&
           vgg_layer_has_weights(&spec->layers[i - 1]);
}

/* The number at the end of a name, "3" of "features.3", and the length of what stands before it; -1: there is none. */
static int read_number(const char *name, size_t *parent)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    const size_t digits = strspn(last, "0123456789");
    *parent = (size_t)(last - name);
    return digits > 0 && digits < 7 && last[digits] == '\0' ? atoi(last) : -1;
}

/* The number of folded layers before a layer in the same Sequential. */
static int count_before(const struct vgg_spec *spec, size_t at, size_t parent)
{
    const char *name = spec->layers[at].name;
    int count = 0;
    for (size_t i = 0; i < at; i++) {
        size_t other;
        count += is_folded(spec, i) && read_number(spec->layers[i].name, &other) >= 0 &&
                 other == parent && memcmp(spec->layers[i].name, name, parent) == 0;
    }
    return count;
}

/* The name of a layer in its Sequential without the layers that were folded. NULL: no memory. */
static const char *renumber(const struct vgg_spec *spec, size_t at, struct vgg_arena *arena)
{
    const char *name = spec->layers[at].name;
    size_t parent;
    const int number = read_number(name, &parent);
    const int before = number >= 0 ? count_before(spec, at, parent) : 0;
    if (before == 0) {
        return name;
    }
    const size_t bytes = parent + 12;
    char *renamed = vgg_arena_alloc(arena, bytes, 1);
    if (renamed != NULL) {
        snprintf(renamed, bytes, "%.*s%d", (int)parent, name, number - before);
    }
    return renamed;
}

static void set_bias(struct vgg_layer *layer)
{
    if (layer->kind == VGG_LAYER_CONV) {
        layer->conv.bias = true;
    } else {
        layer->linear.bias = true;
    }
}

vgg_status vgg_spec_fold(const struct vgg_load *load, const struct vgg_spec *spec,
                         struct vgg_spec *out)
{
    *out = *spec;
    out->unused_count = 0; /* a packed file has the net's tensors alone */
    out->layer_count = 0;
    out->layers = vgg_load_alloc(load, spec->layer_count, sizeof *out->layers);
    if (out->layers == NULL) {
        return vgg_load_fail_memory(load, spec->layer_count * sizeof *out->layers, "the layers");
    }
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (is_folded(spec, i)) {
            set_bias(&out->layers[out->layer_count - 1]);
            continue;
        }
        struct vgg_layer *layer = &out->layers[out->layer_count++];
        *layer = spec->layers[i];
        layer->name = renumber(spec, i, load->arena);
        if (layer->kind == VGG_LAYER_FLATTEN) {
            layer->flatten.channels_last = false; /* weights are written in the other order */
        }
        if (layer->name == NULL) {
            return vgg_load_fail_memory(load, strlen(spec->layers[i].name) + 1, "a name");
        }
    }
    return VGG_OK;
}
