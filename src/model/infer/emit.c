/* SPDX-License-Identifier: MIT */
/* Makes the layers of a net from its outline and a hypothesis about what the outline leaves open. */
#include "model/infer/emit.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/layers.h"
#include "model/spec/module_types.h"

struct emitter {
    const struct vgg_load *load;
    const struct vgg_outline *outline;
    struct vgg_hypothesis hypothesis;
    struct vgg_layer_list list;
    /* The module that the next one follows, and its number in the Sequential; -1: it has none. */
    const struct vgg_site *site;
    int next;
    /* False after a layer could not be added; its settings go to `ignored`. */
    bool ok;
    struct vgg_layer ignored;
};

/* ---- names ---- */

/* Goes on behind a module with weights. */
static void pass(struct emitter *emitter, const struct vgg_site *site)
{
    const bool counts = site->place.number >= 0 && !site->place.unit && !emitter->outline->listed;
    emitter->site = site;
    emitter->next = counts ? site->place.number + 1 : -1;
}

/* The name of the next module without weights in the same Sequential: PARENT.NUMBER; NULL: the names show none. */
static const char *name_next(struct emitter *emitter)
{
    char number[16];
    if (emitter->next < 0) {
        return NULL;
    }
    const size_t parent = emitter->site->place.parent;
    const int digits =
        snprintf(number, sizeof number, "%s%d", parent > 0 ? "." : "", emitter->next++);
    char *name = vgg_load_alloc(emitter->load, parent + (size_t)digits + 1, 1);
    emitter->ok = emitter->ok && name != NULL;
    if (name != NULL) {
        memcpy(name, emitter->site->name, parent);
        memcpy(name + parent, number, (size_t)digits + 1);
    }
    return name;
}

/* ---- layers ---- */

static struct vgg_layer *add(struct emitter *emitter, enum vgg_layer_kind kind, const char *name)
{
    struct vgg_layer *layer = vgg_layers_add(emitter->load, &emitter->list, kind, name);
    emitter->ok = emitter->ok && layer != NULL;
    return layer != NULL ? layer : &emitter->ignored;
}

static void add_activation(struct emitter *emitter)
{
    add(emitter, VGG_LAYER_ACTIVATION, name_next(emitter))->activation =
        (struct vgg_activation_layer){.kind = VGG_ACTIVATION_RELU};
}

static void add_prelu(struct emitter *emitter, const struct vgg_site *site)
{
    add(emitter, VGG_LAYER_ACTIVATION, site->name)->activation =
        (struct vgg_activation_layer){.kind = VGG_ACTIVATION_PRELU, .slopes = site->out_channels};
    if (vgg_site_is_beside(emitter->site, site)) {
        pass(emitter, site);
    }
}

static void add_pool(struct emitter *emitter, bool average)
{
    struct vgg_general_pool *pool = &add(emitter, VGG_LAYER_POOL, name_next(emitter))->pool;
    *pool = (struct vgg_general_pool){
        .window = vgg_window_square(2, 2, 0), .average = average, .count_include_pad = true};
}

static void add_identities(struct emitter *emitter, int count)
{
    for (int i = 0; i < count; i++) {
        add(emitter, VGG_LAYER_IDENTITY, name_next(emitter));
    }
}

static void add_norm(struct emitter *emitter, const struct vgg_site *site)
{
    add(emitter, VGG_LAYER_BATCH_NORM, site->name)->norm = (struct vgg_norm_layer){
        .channels = site->out_channels,
        .eps = VGG_DEFAULT_EPS,
        .affine = site->weight != NULL,
    };
    if (emitter->site == NULL || vgg_site_is_beside(emitter->site, site)) {
        pass(emitter, site);
    }
}

/* Whether an activation without weights follows. Where the modules between convolutions are pools alone, none follows the
 * last one, either. */
static bool has_activation(const struct emitter *emitter, const struct vgg_unit *unit)
{
    const bool open = unit->activation == VGG_OR_POOL || unit->gap == VGG_GAP_UNKNOWN;
    return unit->layer->prelu == NULL && unit->activation != VGG_NOWHERE &&
           !(open && emitter->hypothesis.single_is_pool);
}

/* BatchNorm and activation after a layer, in the order that the numbers show. */
static void add_norm_and_activation(struct emitter *emitter, const struct vgg_unit *unit)
{
    const struct vgg_weighted *layer = unit->layer;
    const bool before = unit->activation == VGG_BEFORE_NORM;
    const bool plain = has_activation(emitter, unit);
    const bool prelu_first = layer->prelu != NULL && layer->norm != NULL &&
                             vgg_site_count_between(layer->prelu, layer->norm) >= 0;
    if (before && plain) {
        add_activation(emitter);
    }
    if (prelu_first) {
        add_prelu(emitter, layer->prelu);
    }
    if (unit->pool_before_norm) {
        add_pool(emitter, false);
    }
    if (layer->norm != NULL) {
        add_norm(emitter, layer->norm);
    }
    if (layer->prelu != NULL && !prelu_first) {
        add_prelu(emitter, layer->prelu);
    }
    if (!before && plain) {
        add_activation(emitter);
    }
}

/* ---- convolutions ---- */

static struct vgg_window get_window(const struct emitter *emitter, const struct vgg_tensor *weight)
{
    struct vgg_window window = vgg_window_square(1, 1, 0);
    window.kernel = (struct vgg_pixels){(int)weight->shape[2], (int)weight->shape[3]};
    const bool none =
        emitter->hypothesis.no_padding || vgg_outline_is_former_linear(emitter->outline, weight);
    const int h = none ? 0 : window.kernel.h / 2, w = none ? 0 : window.kernel.w / 2;
    window.padding = (struct vgg_margins){.top = h, .left = w, .bottom = h, .right = w};
    return window;
}

/* The modules that a cfg lists between two convolutions. */
static void add_entries(struct emitter *emitter, const struct vgg_unit *unit)
{
    if (unit->functional) {
        emitter->next = -1;
    }
    for (size_t i = 0; i < unit->entry_count; i++) {
        if (unit->entries[i].kind == VGG_CFG_DROPOUT) {
            add_identities(emitter, 1);
        } else {
            add_pool(emitter, unit->entries[i].kind == VGG_CFG_AVG_POOL);
        }
    }
}

static void add_gap(struct emitter *emitter, const struct vgg_unit *unit, bool last)
{
    const struct vgg_hypothesis *hypothesis = &emitter->hypothesis;
    bool pool = unit->gap == VGG_GAP_POOL;
    if (unit->gap == VGG_GAP_CFG) {
        add_entries(emitter, unit);
    } else if (unit->gap == VGG_GAP_UNKNOWN) {
        pool = last ? !hypothesis->no_last_pool : hypothesis->pool_each;
    } else if (unit->activation == VGG_OR_POOL) {
        pool = hypothesis->single_is_pool;
    }
    if (pool) {
        add_pool(emitter, false);
    }
    add_identities(emitter, unit->identities);
}

static void add_conv_unit(struct emitter *emitter, const struct vgg_unit *unit, bool last)
{
    const struct vgg_weighted *conv = unit->layer;
    struct vgg_layer *layer = add(emitter, VGG_LAYER_CONV, conv->site->name);
    layer->conv = (struct vgg_conv_layer){
        .in_channels = conv->site->in_channels * conv->groups,
        .out_channels = conv->site->out_channels,
        .groups = conv->groups,
        .window = get_window(emitter, conv->site->weight),
        .bias = conv->site->bias,
    };
    pass(emitter, conv->site);
    if (last && emitter->outline->sites->linear_count == 0) {
        return; /* the last layer of a fully convolutional net */
    }
    add_norm_and_activation(emitter, unit);
    add_gap(emitter, unit, last);
}

/* ---- from features to the classifier ---- */

int vgg_area_get_side(int area)
{
    int side = 1;
    while (side * side < area && side < 4096) {
        side++;
    }
    return side * side == area ? side : 0;
}

int vgg_outline_get_area(const struct vgg_outline *outline)
{
    const struct vgg_sites *sites = outline->sites;
    if (sites->linear_count == 0) {
        return 0;
    }
    const int channels = sites->convs[sites->conv_count - 1].site->out_channels;
    const int features = sites->linears[0].site->in_channels;
    return features % channels == 0 ? features / channels : 0;
}

static void add_adaptive(struct emitter *emitter, enum vgg_adaptive_kind kind, int side)
{
    add(emitter, VGG_LAYER_ADAPTIVE_POOL, "avgpool")->adaptive =
        (struct vgg_adaptive_layer){.kind = kind, .out = {side, side}};
}

/* An average pool to the size that the classifier takes, which changes nothing at the net's own input size, and
 * Flatten. Two numbers for each channel are fastai's maximum and mean. */
static void add_middle(struct emitter *emitter)
{
    const int area = vgg_outline_get_area(emitter->outline);
    const int side = vgg_area_get_side(area);
    const bool fully_convolutional = emitter->outline->sites->linear_count == 0;
    if (area == 2) {
        add_adaptive(emitter, VGG_ADAPTIVE_CONCAT, 1);
    } else if (side > 0 || fully_convolutional) {
        add_adaptive(emitter, VGG_ADAPTIVE_AVG, fully_convolutional ? 1 : side);
    }
    add(emitter, VGG_LAYER_FLATTEN, "flatten");
}

static void add_linear_unit(struct emitter *emitter, const struct vgg_unit *unit, bool last)
{
    const struct vgg_weighted *linear = unit->layer;
    const struct vgg_site *first = linear->norm_before != NULL ? linear->norm_before : linear->site;
    if (unit->identities_before > 0) {
        emitter->site = first;
        emitter->next = first->place.number - unit->identities_before;
        add_identities(emitter, unit->identities_before);
    }
    if (linear->norm_before != NULL) {
        emitter->site = NULL;
        add_norm(emitter, linear->norm_before);
        add_identities(emitter, unit->identities_between);
    }
    add(emitter, VGG_LAYER_LINEAR, linear->site->name)->linear = (struct vgg_linear_layer){
        .in_features = linear->site->in_channels,
        .out_features = linear->site->out_channels,
        .bias = linear->site->bias,
    };
    pass(emitter, linear->site);
    if (!last) {
        add_norm_and_activation(emitter, unit);
        add_identities(emitter, unit->identities);
    } else if (linear->norm != NULL) {
        add_norm(emitter, linear->norm);
    }
}

vgg_status vgg_emit(const struct vgg_load *load, const struct vgg_outline *outline,
                    const struct vgg_emit_options *options, struct vgg_spec *spec)
{
    const struct vgg_sites *sites = outline->sites;
    struct emitter emitter = {
        .load = load,
        .outline = outline,
        .hypothesis = options->hypothesis,
        .next = -1,
        .ok = true,
    };
    for (size_t i = 0; i < sites->conv_count && emitter.ok; i++) {
        add_conv_unit(&emitter, &outline->convs[i], i + 1 == sites->conv_count);
    }
    add_middle(&emitter);
    for (size_t i = 0; i < sites->linear_count && emitter.ok; i++) {
        add_linear_unit(&emitter, &outline->linears[i], i + 1 == sites->linear_count);
    }
    if (!emitter.ok) {
        return vgg_layers_fail(load, &emitter.list);
    }
    spec->layers = emitter.list.items;
    spec->layer_count = emitter.list.count;
    spec->channels = sites->convs[0].site->in_channels;
    vgg_overrides_apply(options->overrides, spec);
    return vgg_layers_name(load, spec);
}
