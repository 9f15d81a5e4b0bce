/* SPDX-License-Identifier: MIT */
/* Compares a net with the published ones whose descriptions are built in. */
#include "model/infer/published.h"

#include <string.h>

#include "model/graph/bind.h"
#include "model/infer/emit.h"
#include "model/spec/builtin.h"
#include "model/spec/spec.h"

/* A convolution of a description and what follows it. */
struct block {
    const struct vgg_layer *conv;
    bool norm, pool;
};

/* The block that begins at a layer; *end receives the index of the next convolution. */
static struct block read_block(const struct vgg_spec *spec, size_t at, size_t *end)
{
    struct block block = {.conv = &spec->layers[at]};
    for (*end = at + 1; *end < spec->layer_count; ++*end) {
        const enum vgg_layer_kind kind = spec->layers[*end].kind;
        if (kind == VGG_LAYER_CONV || kind == VGG_LAYER_ADAPTIVE_POOL) {
            break;
        }
        block.norm = block.norm || kind == VGG_LAYER_BATCH_NORM;
        block.pool = block.pool || kind == VGG_LAYER_POOL;
    }
    return block;
}

/* Whether a gap can be the block's.
 *   last  the gap is after the last convolution, where names show nothing */
static bool gap_fits(const struct vgg_unit *unit, const struct block *block)
{
    switch (unit->gap) {
    case VGG_GAP_UNKNOWN:
        return true;
    case VGG_GAP_NONE:
        return !block->pool;
    case VGG_GAP_POOL:
        return block->pool;
    case VGG_GAP_CFG:
        break;
    }
    return block->pool ? unit->entry_count == 1 && unit->entries[0].kind == VGG_CFG_MAX_POOL
                       : unit->entry_count == 0;
}

static bool unit_fits(const struct vgg_unit *unit, const struct block *block)
{
    const struct vgg_weighted *layer = unit->layer;
    const struct vgg_tensor *weight = layer->site->weight;
    const struct vgg_conv_layer *conv = &block->conv->conv;
    const bool plain =
        unit->activation == VGG_AFTER_NORM || (unit->activation == VGG_OR_POOL && !block->pool);
    return weight->shape[0] == conv->out_channels && weight->shape[1] == conv->in_channels &&
           weight->shape[2] == conv->window.kernel.h && weight->shape[3] == conv->window.kernel.w &&
           layer->site->bias == conv->bias && (layer->norm != NULL) == block->norm &&
           layer->prelu == NULL && plain && unit->identities == 0 && gap_fits(unit, block);
}

/* Whether the convolutions are a description's. */
static bool features_fit(const struct vgg_outline *outline, const struct vgg_spec *spec,
                         bool *by_numbers)
{
    const size_t count = outline->sites->conv_count;
    size_t conv = 0, next = 0;
    *by_numbers = true;
    for (size_t i = 0; i < spec->layer_count && spec->layers[i].kind == VGG_LAYER_CONV; i = next) {
        const struct block block = read_block(spec, i, &next);
        if (conv == count || !unit_fits(&outline->convs[conv], &block)) {
            return false;
        }
        *by_numbers =
            *by_numbers && (conv + 1 == count || outline->convs[conv].gap != VGG_GAP_UNKNOWN);
        conv++;
    }
    return conv == count;
}

/* Whether the linear layers have these numbers in one Sequential, and torchvision's features. */
static bool head_fits(const struct vgg_outline *outline, const int numbers[3])
{
    const struct vgg_sites *sites = outline->sites;
    if (sites->linear_count != 3 || vgg_outline_get_area(outline) != 49) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        const struct vgg_weighted *linear = &sites->linears[i];
        if (linear->site->place.number != numbers[i] || linear->norm != NULL ||
            linear->norm_before != NULL || linear->prelu != NULL || !linear->site->bias ||
            !vgg_site_is_beside(linear->site, sites->linears[0].site) ||
            (i < 2 && linear->site->out_channels != 4096)) {
            return false;
        }
    }
    return true;
}

/* Whether the net has ImageNet's classes and no BatchNorm, which the nets that were converted from Caffe do not have. */
static bool is_for_imagenet(const struct vgg_outline *outline)
{
    const struct vgg_sites *sites = outline->sites;
    return sites->convs[0].norm == NULL &&
           sites->linears[sites->linear_count - 1].site->out_channels == 1000;
}

/* Whether the file's name without its extension is the description's. */
static bool is_named(const char *path, const struct vgg_spec *spec)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    const size_t stem = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    return spec->name != NULL && strlen(spec->name) == stem && memcmp(spec->name, name, stem) == 0;
}

static bool ends_in_pool(const struct vgg_spec *spec)
{
    bool pool = false;
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].kind == VGG_LAYER_ADAPTIVE_POOL) {
            break;
        }
        pool = spec->layers[i].kind == VGG_LAYER_POOL;
    }
    return pool;
}

static vgg_status parse(const struct vgg_load *load, const struct vgg_builtin *file,
                        struct vgg_spec *out)
{
    struct vgg_load load_builtin = *load;
    load_builtin.path = file->name;
    return vgg_spec_parse(&load_builtin, file->data, file->size, out);
}

vgg_status vgg_published_find(const struct vgg_load *load, const struct vgg_outline *outline,
                              struct vgg_published *out)
{
    static const int usual[] = {0, 3, 6}, caffe[] = {1, 4, 6};
    *out = (struct vgg_published){0};
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        if (!vgg_builtin_is_spec(file)) {
            continue;
        }
        vgg_status status = parse(load, file, &out->spec);
        if (status != VGG_OK) {
            return status;
        }
        if ((ends_in_pool(&out->spec) || is_named(load->path, &out->spec)) &&
            features_fit(outline, &out->spec, &out->by_numbers)) {
            out->found = true;
            out->usual_head = head_fits(outline, usual);
            out->caffe_head = head_fits(outline, caffe) && is_for_imagenet(outline);
            return VGG_OK;
        }
    }
    return VGG_OK;
}

void vgg_published_take_pools(const struct vgg_published *published, struct vgg_outline *outline)
{
    const struct vgg_spec *spec = &published->spec;
    size_t conv = 0, next = 0;
    for (size_t i = 0; i < spec->layer_count && spec->layers[i].kind == VGG_LAYER_CONV; i = next) {
        const struct block block = read_block(spec, i, &next);
        struct vgg_unit *unit = &outline->convs[conv++];
        if (unit->gap == VGG_GAP_UNKNOWN) {
            unit->gap = block.pool ? VGG_GAP_POOL : VGG_GAP_NONE;
        }
    }
}

static bool has_linear(const struct vgg_spec *spec, const struct vgg_tensor_list *tensors)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].kind == VGG_LAYER_LINEAR &&
            vgg_tensor_list_findf(tensors, "%s.weight", spec->layers[i].name) != NULL) {
            return true;
        }
    }
    return false;
}

bool vgg_published_find_closest(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                                struct vgg_spec *out)
{
    struct vgg_load silent = *load;
    size_t best = 0;
    silent.err = NULL;
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        struct vgg_spec spec;
        struct vgg_graph graph;
        if (!vgg_builtin_is_spec(file) || parse(&silent, file, &spec) != VGG_OK ||
            !has_linear(&spec, tensors) || vgg_graph_build(&silent, &spec, &graph) != VGG_OK) {
            continue;
        }
        /* A missing tensor counts as much as one that was found: vgg13 has most of vgg11's names. */
        const size_t found = vgg_graph_count_found(&graph, tensors);
        const size_t missing = graph.parameter_count - found;
        const size_t score = found > 3 * missing ? found - missing : 0;
        if (score > best) {
            best = score;
            *out = spec;
        }
    }
    return best > 0;
}
