/* SPDX-License-Identifier: MIT */
/* Takes the settings of module objects for the layers that names and shapes show. */
#include "model/infer/module_settings.h"

#include <string.h>

#include "model/infer/input_size.h"
#include "model/infer/module_layer.h"
#include "model/infer/notes.h"
#include "model/spec/defaults.h"
#include "model/spec/layers.h"

struct settings {
    const struct vgg_load *load;
    const struct vgg_module_leaves *leaves;
    /* A setting that changes results was not in the file. */
    bool missing;
};

static vgg_status read_leaf(struct settings *settings, const struct vgg_module_leaf *leaf,
                            struct vgg_layer *out)
{
    return vgg_module_read_layer(settings->load, settings->leaves->tensors, &leaf->module, out,
                                 &settings->missing);
}

/* ---- layers with modules of their own ---- */

static const struct vgg_module_leaf *find_leaf(const struct settings *settings,
                                               const struct vgg_layer *layer)
{
    for (size_t i = 0; i < settings->leaves->count; i++) {
        const struct vgg_module_leaf *leaf = &settings->leaves->items[i];
        if (leaf->kind == layer->kind && strcmp(leaf->module.name, layer->name) == 0) {
            return leaf;
        }
    }
    return NULL;
}

static vgg_status replace_named(struct settings *settings, struct vgg_spec *spec)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < spec->layer_count && status == VGG_OK; i++) {
        const struct vgg_module_leaf *leaf = find_leaf(settings, &spec->layers[i]);
        if (leaf != NULL) {
            status = read_leaf(settings, leaf, &spec->layers[i]);
        }
    }
    return status;
}

/* ---- layers that share a module ---- */

/* The only layer that the modules of a kind make; false: there is none. */
static vgg_status find_only(struct settings *settings, enum vgg_layer_kind kind, bool *found,
                            struct vgg_layer *out)
{
    *found = false;
    for (size_t i = 0; i < settings->leaves->count; i++) {
        const struct vgg_module_leaf *leaf = &settings->leaves->items[i];
        struct vgg_layer layer;
        if (leaf->kind != kind) {
            continue;
        }
        vgg_status status = read_leaf(settings, leaf, &layer);
        if (status != VGG_OK) {
            return status;
        }
        if (*found && !vgg_layer_equals(&layer, out)) {
            return vgg_fail(settings->load->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s and %s: which of the two runs where is in the code of a class, "
                            "which is not in the file",
                            settings->load->path, out->name, layer.name);
        }
        *out = layer;
        *found = true;
    }
    return VGG_OK;
}

static vgg_status replace_all(struct settings *settings, enum vgg_layer_kind kind,
                              struct vgg_spec *spec)
{
    struct vgg_layer only;
    bool found;
    vgg_status status = find_only(settings, kind, &found, &only);
    for (size_t i = 0; found && status == VGG_OK && i < spec->layer_count; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == kind &&
            !(kind == VGG_LAYER_ACTIVATION && layer->activation.kind == VGG_ACTIVATION_PRELU)) {
            const char *name = layer->name;
            *layer = only;
            layer->name = name;
        }
    }
    return status;
}

/* ---- pools in the order of the modules ---- */

/* Whether a pool lies between two convolutions: then each pool of the file runs where it lies. A pool that stands before
 * or behind all of them may serve several places. */
static bool shows_places(const struct vgg_module_leaves *leaves)
{
    bool conv = false, pool = false;
    for (size_t i = 0; i < leaves->count; i++) {
        const enum vgg_layer_kind kind = leaves->items[i].kind;
        if (kind == VGG_LAYER_CONV && pool) {
            return true;
        }
        conv = conv || kind == VGG_LAYER_CONV;
        if (kind == VGG_LAYER_POOL && !conv) {
            return false;
        }
        pool = pool || kind == VGG_LAYER_POOL;
    }
    return false;
}

static size_t count_pools(const struct vgg_module_leaves *leaves)
{
    size_t count = 0;
    for (size_t i = 0; i < leaves->count; i++) {
        count += leaves->items[i].kind == VGG_LAYER_POOL;
    }
    return count;
}

static vgg_status add_layer(const struct settings *settings, struct vgg_layer_list *list,
                            const struct vgg_layer *layer)
{
    struct vgg_layer *added = vgg_layers_add(settings->load, list, layer->kind, layer->name);
    if (added == NULL) {
        return vgg_layers_fail(settings->load, list);
    }
    *added = *layer;
    return VGG_OK;
}

/* Adds the pools that follow a convolution in the file. */
static vgg_status add_pools(struct settings *settings, const char *conv,
                            struct vgg_layer_list *list)
{
    const struct vgg_module_leaves *leaves = settings->leaves;
    const char *before = NULL;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < leaves->count && status == VGG_OK; i++) {
        const struct vgg_module_leaf *leaf = &leaves->items[i];
        struct vgg_layer pool;
        if (leaf->kind == VGG_LAYER_CONV) {
            before = leaf->module.name;
        } else if (leaf->kind == VGG_LAYER_POOL && before != NULL && strcmp(before, conv) == 0) {
            status = read_leaf(settings, leaf, &pool);
            status = status ? status : add_layer(settings, list, &pool);
        }
    }
    return status;
}

/* Whether the next layer is that of another convolution or of the classifier. */
static bool ends_block(const struct vgg_spec *spec, size_t i)
{
    const enum vgg_layer_kind next =
        i + 1 < spec->layer_count ? spec->layers[i + 1].kind : VGG_LAYER_FLATTEN;
    return next == VGG_LAYER_CONV || next == VGG_LAYER_ADAPTIVE_POOL || next == VGG_LAYER_FLATTEN;
}

static vgg_status place_pools(struct settings *settings, struct vgg_spec *spec)
{
    struct vgg_layer_list list = {0};
    const char *conv = NULL;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < spec->layer_count && status == VGG_OK; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        conv = layer->kind == VGG_LAYER_CONV ? layer->name : conv;
        if (layer->kind != VGG_LAYER_POOL) {
            status = add_layer(settings, &list, layer);
        }
        if (status == VGG_OK && conv != NULL && ends_block(spec, i)) {
            status = add_pools(settings, conv, &list);
            conv = NULL;
        }
    }
    spec->layers = list.items;
    spec->layer_count = list.count;
    if (status == VGG_OK) {
        vgg_note(settings->load, spec, "places of pools", VGG_EVIDENCE_CONVENTION,
                 "in the order of the modules");
        vgg_note(settings->load, spec, "last pool", VGG_EVIDENCE_MODULES, "as in the modules");
    }
    return status;
}

static vgg_status replace_pools(struct settings *settings, struct vgg_spec *spec)
{
    if (settings->leaves->has_cfg) {
        return VGG_OK;
    }
    return count_pools(settings->leaves) > 1 && shows_places(settings->leaves)
               ? place_pools(settings, spec)
               : replace_all(settings, VGG_LAYER_POOL, spec);
}

/* ---- evidence ---- */

/* Records which settings come from modules: those whose modules are there. */
static void note_found(const struct settings *settings, struct vgg_spec *spec)
{
    static const struct {
        enum vgg_layer_kind kind;
        const char *property;
    } properties[] = {{VGG_LAYER_CONV, "stride"},
                      {VGG_LAYER_CONV, "padding"},
                      {VGG_LAYER_CONV, "dilation"},
                      {VGG_LAYER_CONV, "padding of 1x1 convolutions"},
                      {VGG_LAYER_CONV, "square convolutions"},
                      {VGG_LAYER_BATCH_NORM, "eps"},
                      {VGG_LAYER_POOL, "pool"},
                      {VGG_LAYER_ACTIVATION, "activation"}};
    for (size_t p = 0; p < sizeof properties / sizeof properties[0]; p++) {
        const char *property = properties[p].property;
        bool found = false;
        for (size_t i = 0; i < settings->leaves->count; i++) {
            found = found || settings->leaves->items[i].kind == properties[p].kind;
        }
        if (found && !settings->missing && vgg_evidence_find(&spec->evidence, property) != NULL) {
            vgg_note(settings->load, spec, property, VGG_EVIDENCE_MODULES, "as in the modules");
        }
    }
}

static bool is_changed(const struct vgg_spec *before, const struct vgg_spec *spec)
{
    if (before->layer_count != spec->layer_count) {
        return true;
    }
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (!vgg_layer_equals(&before->layers[i], &spec->layers[i])) {
            return true;
        }
    }
    return false;
}

/* Forgets what names and shapes showed of a net with other settings: that it is a published one, and its input's size. */
static vgg_status update(const struct settings *settings, struct vgg_spec *spec)
{
    struct vgg_evidence *size = vgg_evidence_find(&spec->evidence, "input size");
    spec->builtin = false;
    spec->name = NULL;
    if (size != NULL && size->source == VGG_EVIDENCE_PUBLISHED) {
        size->source = VGG_EVIDENCE_CONVENTION;
    }
    vgg_status status = vgg_input_choose(settings->load, settings->leaves->overrides, spec);
    spec->preprocess_source = VGG_EVIDENCE_CONVENTION;
    return status ? status : vgg_spec_default_preprocess(spec, settings->load->err);
}

vgg_status vgg_module_settings_take(const struct vgg_load *load,
                                    const struct vgg_module_leaves *leaves, struct vgg_spec *spec)
{
    struct settings settings = {.load = load, .leaves = leaves};
    struct vgg_spec before = *spec;
    before.layers = vgg_load_alloc(load, spec->layer_count, sizeof *before.layers);
    if (before.layers == NULL) {
        return vgg_load_fail_memory(load, spec->layer_count * sizeof *before.layers, "the layers");
    }
    memcpy(before.layers, spec->layers, spec->layer_count * sizeof *before.layers);
    vgg_status status = replace_named(&settings, spec);
    status = status ? status : replace_all(&settings, VGG_LAYER_ACTIVATION, spec);
    status = status ? status : replace_pools(&settings, spec);
    if (status != VGG_OK) {
        return status;
    }
    vgg_overrides_apply(leaves->overrides, spec);
    note_found(&settings, spec);
    return is_changed(&before, spec) ? update(&settings, spec) : VGG_OK;
}
