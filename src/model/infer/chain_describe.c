/* SPDX-License-Identifier: MIT */
/* Describes the net that a chain of weights makes; most of this file finds where the pools are. */
#include "model/infer/chain_describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/infer/layer_rules.h"
#include "model/spec/builtin.h"

/* What is known about the modules between a convolution with its ReLU and the next convolution. */
enum gap { GAP_UNKNOWN, GAP_NONE, GAP_POOL };

/* The place of a module: "block1.0" is number 0 in "block1"; "conv1_2" is in "" and has no number. */
struct place {
    /* Length of the parent's name. */
    size_t parent;
    /* -1: the name is not a number. */
    int number;
};

struct describer {
    const struct vgg_load *load;
    const struct vgg_chain *chain;
    const struct vgg_tensor_list *tensors;
    /* [conv_count] what lies after each convolution. */
    enum gap *gaps;
    struct vgg_text assumed;
};

static const char digits[] = "0123456789";

static struct place place_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot != NULL ? dot + 1 : name;
    const size_t length = strspn(last, digits);
    return (struct place){.parent = dot != NULL ? (size_t)(dot - name) : 0,
                          .number =
                              length > 0 && length < 7 && last[length] == '\0' ? atoi(last) : -1};
}

static bool same_parent(const char *a, const char *b)
{
    const struct place x = place_of(a), y = place_of(b);
    return x.parent == y.parent && memcmp(a, b, x.parent) == 0;
}

/* ---- pools from indices in a Sequential ---- */

/* Reads a gap from two names. False if more modules lie in it than a pool. */
static bool read_gap(const struct vgg_chain_layer *conv, const struct vgg_chain_layer *next,
                     enum gap *gap)
{
    const struct place a = place_of(conv->name), b = place_of(next->name);
    *gap = GAP_UNKNOWN;
    if (a.number < 0 || b.number < 0) {
        return true;
    }
    if (!same_parent(conv->name, next->name)) {
        /* The block begins with one module before its first convolution: a pool. */
        *gap = b.number == 1 ? GAP_POOL : GAP_UNKNOWN;
        return b.number <= 1;
    }
    const bool norm = conv->norm != NULL && same_parent(conv->name, conv->norm);
    const int more = b.number - a.number - (norm ? 3 : 2);
    *gap = more == 0 ? GAP_NONE : more == 1 ? GAP_POOL : GAP_UNKNOWN;
    /* Below 0 the two numbers leave no room for a ReLU, so that they do not count modules. */
    return more <= 1;
}

static vgg_status find_by_indices(struct describer *d)
{
    for (size_t i = 0; i + 1 < d->chain->conv_count; i++) {
        const struct vgg_chain_layer *conv = &d->chain->convs[i];
        if (!read_gap(conv, conv + 1, &d->gaps[i])) {
            return vgg_fail_hint(
                d->load->err, VGG_ERR_UNSUPPORTED, VGG_HINT_LAYERS,
                "%s: expected ReLU and at most one pool between the convolutions %s and %s, got "
                "more modules, whose kinds the file does not tell",
                d->load->path, conv->name, conv[1].name);
        }
    }
    return VGG_OK;
}

static bool all_known(const struct describer *d)
{
    for (size_t i = 0; i + 1 < d->chain->conv_count; i++) {
        if (d->gaps[i] == GAP_UNKNOWN) {
            return false;
        }
    }
    return true;
}

/* ---- pools from published nets ---- */

/* Whether the convolutions are the description's, and its pools agree with the known gaps. If so, fills all
 * gaps. */
static bool take_pools_of(struct describer *d, const struct vgg_spec *spec)
{
    size_t conv = 0;
    for (int pass = 0; pass < 2; pass++) {
        conv = 0;
        for (size_t i = 0; i < spec->layer_count; i++) {
            if (spec->layers[i].kind != VGG_LAYER_CONV) {
                continue;
            }
            const bool pool =
                i + 1 < spec->layer_count && spec->layers[i + 1].kind == VGG_LAYER_MAX_POOL;
            const enum gap gap = pool ? GAP_POOL : GAP_NONE;
            if (conv == d->chain->conv_count ||
                d->chain->convs[conv].weight->shape[0] != spec->layers[i].channels ||
                (d->gaps[conv] != GAP_UNKNOWN && d->gaps[conv] != gap)) {
                return false;
            }
            if (pass == 1) {
                d->gaps[conv] = gap;
            }
            conv++;
        }
        if (conv != d->chain->conv_count) {
            return false;
        }
    }
    return true;
}

static vgg_status find_by_builtins(struct describer *d, bool *found)
{
    *found = false;
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL && !*found; file++) {
        struct vgg_spec spec;
        struct vgg_load load = *d->load;
        if (!vgg_builtin_is_spec(file) || strncmp(file->name, "vgg", 3) != 0) {
            continue;
        }
        load.path = file->name;
        vgg_status status = vgg_spec_parse(&load, file->data, file->size, &spec);
        if (status != VGG_OK) {
            return status;
        }
        *found = take_pools_of(d, &spec);
        if (*found) {
            vgg_text_add(&d->assumed, "pools as in %s, whose convolutions these are", spec.name);
        }
    }
    return VGG_OK;
}

/* ---- pools from names of blocks ---- */

/* Length of the beginning that the names of all convolutions share, without a number at its end. */
static size_t find_common(const struct vgg_chain *chain)
{
    const char *first = chain->convs[0].name;
    size_t common = strlen(first);
    for (size_t i = 1; i < chain->conv_count; i++) {
        size_t length = 0;
        while (length < common && chain->convs[i].name[length] == first[length]) {
            length++;
        }
        common = length;
    }
    while (common > 0 && strchr(digits, first[common - 1]) != NULL) {
        common--;
    }
    return common;
}

/* Length of the name of a convolution's block: up to the first of two numbers in its name, "conv1" of conv1_2,
 * or the Sequential that contains it. 0: the name has no block. */
static size_t block_of(const char *name, size_t common)
{
    const struct place place = place_of(name);
    const char *number = strpbrk(name + common, digits);
    if (number != NULL) {
        number += strspn(number, digits);
        if (strpbrk(number, digits) != NULL) {
            return (size_t)(number - name);
        }
    }
    return place.number >= 0 ? place.parent : 0;
}

static bool same_block(const char *a, const char *b, size_t common)
{
    const size_t length = block_of(a, common);
    return length > 0 && length == block_of(b, common) && memcmp(a, b, length) == 0;
}

/* Assumes one pool after each block, if blocks have several convolutions. */
static bool find_by_blocks(struct describer *d)
{
    const struct vgg_chain_layer *convs = d->chain->convs;
    const size_t count = d->chain->conv_count, common = find_common(d->chain);
    size_t blocks = 1;
    for (size_t i = 0; i < count; i++) {
        if (block_of(convs[i].name, common) == 0) {
            return false;
        }
        blocks += i > 0 && !same_block(convs[i - 1].name, convs[i].name, common);
    }
    /* A single block, or one block per convolution, shows nothing. */
    if (blocks == 1 || blocks == count) {
        return false;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        if (d->gaps[i] == GAP_UNKNOWN) {
            const bool same = same_block(convs[i].name, convs[i + 1].name, common);
            d->gaps[i] = same ? GAP_NONE : GAP_POOL;
        }
    }
    vgg_text_add(&d->assumed, "a 2x2 max pool after each of the %zu blocks (%.*s …)", blocks,
                 (int)block_of(convs[0].name, common), convs[0].name);
    return true;
}

static vgg_status fail_no_pools(const struct describer *d)
{
    struct vgg_text list = {0};
    const size_t count = d->chain->conv_count;
    for (size_t i = 0; i < count; i++) {
        vgg_text_add(&list, "%s%lld", i > 0 ? "," : "",
                     (long long)d->chain->convs[i].weight->shape[0]);
    }
    return vgg_fail_long(
        d->load->arena->context, d->load->err, VGG_ERR_UNSUPPORTED, VGG_HINT_LAYERS,
        "%s: the names %s … %s do not tell where the pools are: expected the list "
        "of layers \"%s\" with an M for each 2x2 max pool",
        d->load->path, d->chain->convs[0].name, d->chain->convs[count - 1].name, list.buffer);
}

static vgg_status find_pools(struct describer *d)
{
    const char *last = d->chain->convs[d->chain->conv_count - 1].name;
    bool found = false;
    vgg_status status = find_by_indices(d);
    if (status != VGG_OK) {
        return status;
    }
    if (all_known(d)) {
        vgg_text_add(&d->assumed, "a 2x2 max pool after %s", last);
    } else {
        status = find_by_builtins(d, &found);
        if (status == VGG_OK && !found && !find_by_blocks(d)) {
            status = fail_no_pools(d);
        }
    }
    d->gaps[d->chain->conv_count - 1] = GAP_POOL;
    return status;
}

/* ---- the description ---- */

static bool has_bias(const struct describer *d, const struct vgg_chain_layer *layer)
{
    return vgg_tensor_list_findf(d->tensors, "%s.bias", layer->name) != NULL;
}

static struct vgg_layer make_conv(const struct describer *d, const struct vgg_chain_layer *layer)
{
    const int kernel = (int)layer->weight->shape[2];
    return (struct vgg_layer){
        .kind = VGG_LAYER_CONV,
        .name = layer->name,
        .norm = layer->norm,
        .channels = (int)layer->weight->shape[0],
        .kernel = kernel,
        .stride = 1,
        .padding = kernel / 2,
        .bias = has_bias(d, layer),
        .batch_norm = layer->norm != NULL,
    };
}

/* Whether two layers of a Sequential have no index left for a ReLU between them. */
static bool is_adjacent(const struct vgg_chain_layer *a, const struct vgg_chain_layer *b)
{
    const struct place x = place_of(a->name), y = place_of(b->name);
    return same_parent(a->name, b->name) && x.number >= 0 && y.number >= 0 &&
           y.number - x.number < (a->norm != NULL ? 3 : 2);
}

/* Refuses linear layers of one Sequential without a ReLU between them: UNSUPPORTED. */
static vgg_status check_linears(const struct describer *d)
{
    for (size_t i = 1; i < d->chain->linear_count; i++) {
        const struct vgg_chain_layer *layer = &d->chain->linears[i];
        if (is_adjacent(layer - 1, layer)) {
            return vgg_fail(
                d->load->err, VGG_ERR_UNSUPPORTED,
                "%s: expected ReLU between the linear layers %s and %s, found no place for it",
                d->load->path, layer[-1].name, layer->name);
        }
    }
    return VGG_OK;
}

static vgg_status describe_classifier(const struct describer *d, struct vgg_spec *spec)
{
    const struct vgg_chain *chain = d->chain;
    vgg_status status = vgg_infer_avgpool(d->load, chain->convs[chain->conv_count - 1].weight,
                                          chain->linears[0].weight, &spec->avgpool);
    status = status ? status : check_linears(d);
    if (status != VGG_OK) {
        return status;
    }
    spec->head_count = chain->linear_count;
    spec->head = vgg_load_alloc(d->load, spec->head_count, sizeof *spec->head);
    if (spec->head == NULL) {
        return vgg_load_fail_memory(d->load, spec->head_count * sizeof *spec->head, "the layers");
    }
    for (size_t i = 0; i < spec->head_count; i++) {
        const struct vgg_chain_layer *layer = &chain->linears[i];
        spec->head[i] = (struct vgg_head){.name = layer->name,
                                          .norm = layer->norm,
                                          .features = (int)layer->weight->shape[0],
                                          .bias = has_bias(d, layer),
                                          .batch_norm = layer->norm != NULL,
                                          .index = 3 * (int)i};
    }
    return VGG_OK;
}

static vgg_status check_layers(const struct describer *d)
{
    const struct vgg_chain *chain = d->chain;
    const size_t count = chain->conv_count + chain->linear_count;
    vgg_status status = VGG_OK;
    int width;
    if (count > d->load->limits->layers) {
        return vgg_fail(d->load->err, VGG_ERR_LIMIT, "%s: the net has %zu layers, limit is %u",
                        d->load->path, count, d->load->limits->layers);
    }
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        const bool conv = i < chain->conv_count;
        const struct vgg_tensor *weight =
            conv ? chain->convs[i].weight : chain->linears[i - chain->conv_count].weight;
        status = vgg_infer_read_width(d->load, weight, 0, &width);
        status = status ? status : vgg_infer_read_width(d->load, weight, 1, &width);
        if (status == VGG_OK && conv) {
            status = vgg_infer_check_kernel(d->load, weight);
        }
    }
    return status;
}

/* Takes the entries of cfg, and the rest of its convolutions from the weights. */
static vgg_status describe_as_cfg(const struct describer *d, const struct vgg_cfg *cfg,
                                  struct vgg_spec *spec)
{
    const struct vgg_chain *chain = d->chain;
    vgg_status status =
        vgg_infer_check_count(d->load, cfg, chain->conv_count, chain->convs[0].weight,
                              chain->convs[chain->conv_count - 1].weight);
    for (size_t i = 0, conv = 0; status == VGG_OK && i < cfg->count; i++) {
        if (cfg->layers[i].kind != VGG_LAYER_CONV) {
            spec->layers[spec->layer_count++] = cfg->layers[i];
            continue;
        }
        const struct vgg_chain_layer *layer = &chain->convs[conv++];
        status = vgg_infer_check_entry(d->load, cfg, i, layer->weight);
        spec->layers[spec->layer_count++] = make_conv(d, layer);
    }
    return status;
}

static vgg_status describe_features(struct describer *d, struct vgg_spec *spec)
{
    static const struct vgg_layer pool = {.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
    vgg_status status = find_pools(d);
    for (size_t i = 0; status == VGG_OK && i < d->chain->conv_count; i++) {
        spec->layers[spec->layer_count++] = make_conv(d, &d->chain->convs[i]);
        if (d->gaps[i] == GAP_POOL) {
            spec->layers[spec->layer_count++] = pool;
        }
    }
    return status;
}

static vgg_status allocate(struct describer *d, const struct vgg_cfg *cfg, struct vgg_spec *spec)
{
    const size_t count = d->chain->conv_count;
    const size_t places = 2 * count + (cfg != NULL ? cfg->count : 0);
    d->gaps = vgg_load_alloc(d->load, count, sizeof *d->gaps);
    spec->layers = vgg_load_alloc(d->load, places, sizeof *spec->layers);
    if (d->gaps == NULL || spec->layers == NULL) {
        return vgg_load_fail_memory(d->load, places * sizeof *spec->layers, "the layers");
    }
    memset(d->gaps, 0, count * sizeof *d->gaps);
    return VGG_OK;
}

vgg_status vgg_chain_describe(const struct vgg_load *load, const struct vgg_chain *chain,
                              const struct vgg_tensor_list *tensors, const struct vgg_cfg *cfg,
                              struct vgg_spec *out)
{
    struct describer d = {.load = load, .chain = chain, .tensors = tensors};
    struct vgg_spec spec = {0};
    vgg_status status = check_layers(&d);
    if (status != VGG_OK) {
        return status;
    }
    /* cfg specifies the pools, so that nothing but the order is assumed. */
    vgg_text_add(&d.assumed, "layers in the order of %s (%s … %s)%s",
                 chain->by_number ? "their numbers" : "the file", chain->convs[0].name,
                 chain->linears[chain->linear_count - 1].name, cfg == NULL ? "; " : "");
    status = allocate(&d, cfg, &spec);
    if (status == VGG_OK) {
        status = cfg != NULL ? describe_as_cfg(&d, cfg, &spec) : describe_features(&d, &spec);
    }
    status = status ? status : describe_classifier(&d, &spec);
    status = status ? status : vgg_infer_finish(load, d.assumed.buffer, &spec);
    if (status == VGG_OK) {
        *out = spec;
    }
    return status;
}

vgg_status vgg_chain_name(const char *path, const struct vgg_chain *chain, struct vgg_spec *spec,
                          struct vgg_error *err)
{
    size_t conv = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        conv += spec->layers[i].kind == VGG_LAYER_CONV;
    }
    if (conv != chain->conv_count || spec->head_count != chain->linear_count) {
        return vgg_fail(
            err, VGG_ERR_MISMATCH,
            "%s: expected %zu convolutions and %zu linear layers as described, found %zu "
            "(%s …) and %zu (%s …)",
            path, conv, spec->head_count, chain->conv_count, chain->convs[0].name,
            chain->linear_count, chain->linears[0].name);
    }
    conv = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].kind == VGG_LAYER_CONV) {
            spec->layers[i].name = chain->convs[conv].name;
            spec->layers[i].norm = chain->convs[conv++].norm;
        }
    }
    for (size_t i = 0; i < spec->head_count; i++) {
        spec->head[i].name = chain->linears[i].name;
        spec->head[i].norm = chain->linears[i].norm;
    }
    return VGG_OK;
}
