/* SPDX-License-Identifier: MIT */
/* Records where each property of an inferred net comes from. */
#include "model/infer/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/spec/module_types.h"

void vgg_note(const struct vgg_load *load, struct vgg_spec *spec, const char *property,
              enum vgg_evidence_source source, const char *format, ...)
{
    char value[256];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    vgg_evidence_add(
        &spec->evidence, load->arena,
        &(struct vgg_evidence){.property = property, .value = value, .source = source});
}

/* The source of what names and shapes leave open: the caller, the published net, or nothing but convention. */
static enum vgg_evidence_source get_source(const struct vgg_findings *findings, bool given)
{
    const struct vgg_published *published = findings->published;
    return given                                       ? VGG_EVIDENCE_USER
           : published->found && published->by_numbers ? VGG_EVIDENCE_PUBLISHED
                                                       : VGG_EVIDENCE_CONVENTION;
}

/* The same of what also concerns the classifier, of which the convolutions of a published net show nothing. */
static enum vgg_evidence_source get_head_source(const struct vgg_findings *findings, bool given)
{
    const struct vgg_published *published = findings->published;
    const bool known = published->usual_head || published->caffe_head;
    return given || known ? get_source(findings, given) : VGG_EVIDENCE_CONVENTION;
}

static const struct vgg_layer *find_layer(const struct vgg_spec *spec, enum vgg_layer_kind kind)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        if (spec->layers[i].kind == kind) {
            return &spec->layers[i];
        }
    }
    return NULL;
}

/* Whether a convolution's kernel is one pixel. */
static bool is_point(const struct vgg_layer *layer)
{
    return layer->conv.window.kernel.h == 1 && layer->conv.window.kernel.w == 1;
}

/* The first convolution whose kernel is larger than one pixel: padding makes no sense for the others. */
static const struct vgg_layer *find_padded(const struct vgg_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_CONV && !is_point(layer)) {
            return layer;
        }
    }
    return NULL;
}

/* Records the padding of convolutions that were linear layers. */
static void note_former_linears(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_sites *sites = findings->outline->sites;
    const bool given = findings->overrides->has_padding;
    for (size_t i = 0; i < sites->conv_count; i++) {
        const struct vgg_tensor *weight = sites->convs[i].site->weight;
        if (vgg_outline_is_former_linear(findings->outline, weight)) {
            char property[64];
            snprintf(property, sizeof property, "padding of %dx%d convolutions",
                     (int)weight->shape[2], (int)weight->shape[3]);
            vgg_note(findings->load, spec, property, get_source(findings, given), "%d",
                     given ? findings->overrides->padding : 0);
        }
    }
}

/* Records that convolutions are not transposed ones, whose weights [in][out / groups][k][k] have the same shape where there
 * are as many inputs as outputs. */
static void note_square_convs(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_sites *sites = findings->outline->sites;
    bool square = false;
    for (size_t i = 0; i < sites->conv_count; i++) {
        const struct vgg_weighted *conv = &sites->convs[i];
        square =
            square || (int64_t)conv->site->in_channels * conv->groups == conv->site->out_channels;
    }
    if (square) {
        vgg_note(findings->load, spec, "square convolutions",
                 get_source(findings, findings->pools == VGG_POOLS_BY_CFG), "%s",
                 "Conv2d, not ConvTranspose2d");
    }
}

static void note_convs(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_load *load = findings->load;
    const struct vgg_layer *padded = find_padded(spec);
    const bool given = findings->overrides->has_padding;
    vgg_note(load, spec, "stride", get_source(findings, false), "1");
    vgg_note(load, spec, "dilation", get_source(findings, false), "1");
    if (padded != NULL) {
        const struct vgg_margins padding = padded->conv.window.padding;
        const enum vgg_evidence_source source = get_source(findings, given);
        const bool pads = padding.top + padding.left > 0;
        char value[32];
        if (padding.top == padding.left) {
            snprintf(value, sizeof value, "%d", padding.top);
        } else {
            snprintf(value, sizeof value, "%dx%d", padding.top, padding.left);
        }
        vgg_evidence_add(&spec->evidence, load->arena,
                         &(struct vgg_evidence){.property = "padding",
                                                .value = value,
                                                .source = source,
                                                .why = pads ? "filled with zeros" : NULL});
    }
    bool points = false;
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        points = points || (layer->kind == VGG_LAYER_CONV && is_point(layer));
    }
    if (points) {
        vgg_note(load, spec, "padding of 1x1 convolutions", get_source(findings, false), "0");
    }
}

/* Whether the numbers of a Sequential show that a BatchNorm directly follows its layer, or does not. */
static bool shows_norm(const struct vgg_unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct vgg_weighted *layer = units[i].layer;
        if (layer->norm != NULL && vgg_site_count_between(layer->site, layer->norm) < 0) {
            return false;
        }
    }
    return true;
}

static bool has_norm_in_head(const struct vgg_outline *outline)
{
    for (size_t i = 0; i < outline->sites->linear_count; i++) {
        const struct vgg_weighted *layer = outline->linears[i].layer;
        if (layer->norm != NULL || layer->norm_before != NULL) {
            return true;
        }
    }
    return false;
}

/* Whether there is a module between a layer and its BatchNorm that may be another than an activation. */
static bool has_module_before_norm(const struct vgg_unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (units[i].activation == VGG_BEFORE_NORM) {
            return true;
        }
    }
    return false;
}

/* Where BatchNorm is taken to be; NULL: the numbers show it. */
static const char *find_norm_place(const struct vgg_unit *units, size_t count)
{
    return !shows_norm(units, count)              ? "before the activation"
           : has_module_before_norm(units, count) ? "after the activation"
                                                  : NULL;
}

/* Records where BatchNorm is, if only convention says so. A place or a source of its own makes that of linear layers a
 * property of its own. */
static void note_norm_order(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_outline *outline = findings->outline;
    const struct vgg_sites *sites = outline->sites;
    const enum vgg_evidence_source source = get_source(findings, false);
    const enum vgg_evidence_source head_source = get_head_source(findings, false);
    const char *convs = outline->listed ? "before the activation"
                                        : find_norm_place(outline->convs, sites->conv_count);
    const char *linears = find_norm_place(outline->linears, sites->linear_count);
    if (convs != NULL) {
        vgg_note(findings->load, spec, "BatchNorm", source, "%s", convs);
    }
    const bool same = convs != NULL && linears != NULL && strcmp(convs, linears) == 0;
    if (linears != NULL && !(same && source == head_source)) {
        vgg_note(findings->load, spec, convs != NULL ? "BatchNorm of linear layers" : "BatchNorm",
                 head_source, "%s", linears);
    }
}

static void note_norms(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_outline *outline = findings->outline;
    const struct vgg_layer *norm = find_layer(spec, VGG_LAYER_BATCH_NORM);
    const bool given = findings->overrides->has_eps;
    if (norm == NULL) {
        return;
    }
    vgg_note(findings->load, spec, "eps",
             has_norm_in_head(outline) ? get_head_source(findings, given)
                                       : get_source(findings, given),
             "%g", norm->norm.eps);
    note_norm_order(findings, spec);
}

/* The first activation whose weights do not show what it is. */
static const struct vgg_layer *find_activation(const struct vgg_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_ACTIVATION && layer->activation.kind != VGG_ACTIVATION_PRELU) {
            return layer;
        }
    }
    return NULL;
}

static void note_activations(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_overrides *overrides = findings->overrides;
    const struct vgg_layer *activation = find_activation(spec);
    const struct vgg_sites *sites = findings->outline->sites;
    if (sites->conv_count + sites->linear_count > 1) {
        vgg_note(findings->load, spec, "activation",
                 sites->linear_count > 1 ? get_head_source(findings, overrides->has_activation)
                                         : get_source(findings, overrides->has_activation),
                 "%s",
                 activation != NULL ? vgg_activation_name(activation->activation.kind) : "none");
    }
}

/* Records whether there is an activation before a layer on top of a whole net, which only the class of both knows, and that
 * there is none where numbers leave no place: those of a ModuleList count no activations. */
static void note_linears(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_outline *outline = findings->outline;
    char property[VGG_SHAPE_TEXT_BYTES];
    for (size_t i = 0; i + 1 < outline->sites->linear_count; i++) {
        const struct vgg_site *next = outline->sites->linears[i + 1].site;
        const bool none = outline->linears[i].activation == VGG_NOWHERE;
        if (none || next == outline->top) {
            snprintf(property, sizeof property, "activation before %.100s", next->name);
            vgg_note(findings->load, spec, property, VGG_EVIDENCE_CONVENTION, "%s",
                     none ? "none" : "as elsewhere");
        }
    }
}

static void note_pools(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_load *load = findings->load;
    const struct vgg_overrides *overrides = findings->overrides;
    const struct vgg_outline *outline = findings->outline;
    const size_t count = outline->sites->conv_count;
    const struct vgg_unit *last = &outline->convs[count - 1];
    const struct vgg_layer *pool = find_layer(spec, VGG_LAYER_POOL);
    if (pool != NULL) {
        const struct vgg_window *window = &pool->pool.window;
        vgg_note(load, spec, "pool",
                 overrides->has_pool || findings->pools == VGG_POOLS_BY_CFG
                     ? VGG_EVIDENCE_USER
                     : get_source(findings, false),
                 "%s %dx%d", vgg_layer_type(pool), window->kernel.h, window->kernel.w);
    }
    const bool has_places =
        count > 1 || last->gap == VGG_GAP_POOL || last->activation == VGG_OR_POOL;
    if (findings->pools != VGG_POOLS_BY_CFG && has_places) {
        vgg_note(load, spec, "places of pools", get_source(findings, false), "%s",
                 findings->pools_text[0] != '\0' ? findings->pools_text
                                                 : "where the numbers leave a place");
    }
    if (last->gap == VGG_GAP_UNKNOWN && outline->sites->linear_count > 0) {
        const bool none = findings->choice->hypothesis.no_last_pool;
        vgg_note(load, spec, "last pool", get_source(findings, false), "%s after %s",
                 none ? "none" : "one", last->layer->site->name);
    }
    if (outline->dropout_before != NULL) {
        vgg_note(load, spec, "Dropout", VGG_EVIDENCE_CONVENTION, "where cfg has nothing, before %s",
                 outline->dropout_before->name);
    }
    if (outline->functional_after != NULL) {
        vgg_note(load, spec, "pools of cfg", VGG_EVIDENCE_CONVENTION, "functions, after %s",
                 outline->functional_after->name);
    }
    if (findings->choice->hypothesis.single_is_pool) {
        vgg_note(load, spec, "single modules between convolutions", VGG_EVIDENCE_CONVENTION,
                 "pools, without activations");
    }
}

/* Records that unknown modules after the convolutions and before linear layers are taken to compute nothing. */
static void note_idle(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_sites *sites = findings->outline->sites;
    const int count = vgg_outline_count_idle(findings->outline);
    const int after = findings->outline->convs[sites->conv_count - 1].identities;
    if (after > 0 && sites->linear_count > 0) {
        vgg_note(findings->load, spec, "modules after the last convolution",
                 get_head_source(findings, false),
                 "compute nothing but for activation and pool (%d of them)", after);
    }
    if (count > 0) {
        vgg_note(findings->load, spec, "modules before linear layers",
                 get_head_source(findings, false), "compute nothing (%d of them)", count);
    }
}

/* Records the order in which places of the features become inputs of a linear layer: its matrix does not show it, unless
 * the file has it as a filter. */
static void note_flatten(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_outline *outline = findings->outline;
    /* A factor of two is that of fastai's pool, which leaves one place. */
    const bool has_places = vgg_outline_get_area(outline) > 2;
    const bool is_filter =
        has_places && outline->sites->linears[0].site->weight == findings->tensors->filter;
    if (has_places) {
        vgg_note(findings->load, spec, "flatten",
                 is_filter ? VGG_EVIDENCE_SHAPES : get_head_source(findings, false),
                 VGG_FLATTEN_ORDER);
    }
}

static void note_order(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_sites *sites = findings->outline->sites;
    const char *first = sites->convs[0].site->name;
    const struct vgg_site *end = sites->linear_count > 0
                                     ? sites->linears[sites->linear_count - 1].site
                                     : sites->convs[sites->conv_count - 1].site;
    bool numbered = true;
    for (size_t i = 1; i < sites->conv_count; i++) {
        numbered =
            numbered && vgg_site_count_between(sites->convs[i - 1].site, sites->convs[i].site) >= 0;
    }
    for (size_t i = 1; i < sites->linear_count; i++) {
        numbered = numbered &&
                   vgg_site_count_between(sites->linears[i - 1].site, sites->linears[i].site) >= 0;
    }
    if (numbered && !findings->outline->listed) {
        vgg_note(findings->load, spec, "order", VGG_EVIDENCE_SHAPES, "of the numbers in the names");
    } else {
        vgg_note(findings->load, spec, "order", VGG_EVIDENCE_CONVENTION, "of %s (%s … %s)",
                 sites->unordered   ? "an alphabetical list, which may be another"
                 : sites->by_number ? "the numbers in the names"
                                    : "the file",
                 first, end->name);
    }
}

static void note_size(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    const struct vgg_choice *choice = findings->choice;
    const struct vgg_published *published = findings->published;
    const struct vgg_overrides *overrides = findings->overrides;
    const bool given = overrides->height > 0;
    char value[64];
    snprintf(value, sizeof value, "%dx%d", given ? overrides->height : spec->input.h,
             given ? overrides->width : spec->input.w);
    vgg_evidence_add(
        &spec->evidence, findings->load->arena,
        &(struct vgg_evidence){
            .property = "input size",
            .value = value,
            .source = given ? VGG_EVIDENCE_USER
                      : published->found && published->usual_head && published->by_numbers
                          ? VGG_EVIDENCE_PUBLISHED
                          : VGG_EVIDENCE_CONVENTION,
            .alternatives = choice->alternatives.length > 0 ? choice->alternatives.buffer : NULL,
        });
    if (choice->hypothesis.global_pool) {
        vgg_note(findings->load, spec, "average pool", VGG_EVIDENCE_CONVENTION, "global");
    } else if (findings->outline->sites->linear_count == 0) {
        vgg_note(findings->load, spec, "average pool", VGG_EVIDENCE_CONVENTION,
                 "of the scores of all positions");
    } else if (vgg_outline_get_area(findings->outline) == 2) {
        vgg_note(findings->load, spec, "pool before the classifier", VGG_EVIDENCE_CONVENTION,
                 "fastai's AdaptiveConcatPool2d");
    }
}

void vgg_note_layers(const struct vgg_findings *findings, struct vgg_spec *spec)
{
    vgg_note(findings->load, spec, "layers", VGG_EVIDENCE_SHAPES,
             "%zu convolutions, %zu linear layers", findings->outline->sites->conv_count,
             findings->outline->sites->linear_count);
    note_order(findings, spec);
    note_convs(findings, spec);
    note_square_convs(findings, spec);
    note_former_linears(findings, spec);
    note_norms(findings, spec);
    note_activations(findings, spec);
    note_linears(findings, spec);
    note_pools(findings, spec);
    note_idle(findings, spec);
    note_flatten(findings, spec);
    note_size(findings, spec);
    vgg_note(findings->load, spec, "logits", get_head_source(findings, false), VGG_LOGITS);
    vgg_note(findings->load, spec, "scores", get_head_source(findings, false), "%s",
             vgg_spec_get_classes(spec) == 1 ? "sigmoid" : "softmax");
}

/* Records a property that a caller gives instead of what the description assumes. */
static void note_given(const struct vgg_load *load, struct vgg_spec *spec, const char *property,
                       const char *value)
{
    if (vgg_evidence_find(&spec->evidence, property) != NULL) {
        vgg_note(load, spec, property, VGG_EVIDENCE_USER, "%s", value);
    }
}

/* Records the padding of convolutions of all kernels but those of one pixel. */
static void note_given_padding(const struct vgg_load *load, struct vgg_spec *spec, int padding)
{
    static const char others[] = "padding of ";
    for (size_t i = 0; i < spec->evidence.count; i++) {
        const char *property = spec->evidence.items[i].property;
        const bool of_points = strcmp(property, "padding of 1x1 convolutions") == 0;
        const bool is_other = strncmp(property, others, sizeof others - 1) == 0;
        if (strcmp(property, "padding") == 0 || (is_other && !of_points)) {
            vgg_note(load, spec, property, VGG_EVIDENCE_USER, "%d", padding);
        }
    }
}

void vgg_note_overrides(const struct vgg_load *load, const struct vgg_overrides *overrides,
                        struct vgg_spec *spec)
{
    const struct vgg_layer pool = {.kind = VGG_LAYER_POOL, .pool = overrides->pool};
    char value[64];
    if (overrides->has_padding) {
        note_given_padding(load, spec, overrides->padding);
    }
    if (overrides->has_eps) {
        snprintf(value, sizeof value, "%g", overrides->eps);
        note_given(load, spec, "eps", value);
    }
    if (overrides->has_activation) {
        note_given(load, spec, "activation",
                   overrides->no_activation ? "none"
                                            : vgg_activation_name(overrides->activation.kind));
    }
    if (overrides->has_pool) {
        snprintf(value, sizeof value, "%s %dx%d", vgg_layer_type(&pool),
                 overrides->pool.window.kernel.h, overrides->pool.window.kernel.w);
        note_given(load, spec, "pool", value);
    }
}
