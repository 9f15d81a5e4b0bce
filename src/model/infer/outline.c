/* SPDX-License-Identifier: MIT */
/* Reads from the numbers in names how many modules without weights lie between two layers, and which they can be. */
#include "model/infer/outline.h"

#include <string.h>

struct reading {
    const struct vgg_load *load;
    const struct vgg_sites *sites;
    const struct vgg_cfg *cfg;
    struct vgg_outline *out;
};

/* The places for modules around a layer; -1: the names do not show them. */
struct places {
    /* Between the layer and its BatchNorm. */
    int before_norm;
    /* Between the layer, or its BatchNorm, and the next layer. */
    int after;
    /* Of these, at the beginning of the next layer's own Sequential. */
    int leading;
};

/* The module after which the next layer follows. */
static const struct vgg_site *get_last(const struct vgg_weighted *layer)
{
    const struct vgg_site *last = layer->site;
    if (layer->norm != NULL && vgg_site_count_between(last, layer->norm) >= 0) {
        last = layer->norm;
    }
    if (layer->prelu != NULL && vgg_site_count_between(last, layer->prelu) >= 0) {
        last = layer->prelu;
    }
    return last;
}

/* Whether two Sequentials are slices of one, whose numbers go on: conv1 = features[0:5], conv2 = features[5:10]. */
static bool is_continued(const struct vgg_site *last, const struct vgg_site *first)
{
    return !vgg_site_is_beside(last, first) && !last->place.unit && !first->place.unit &&
           last->place.number >= 0 && first->place.number > last->place.number + 1;
}

static struct places find_places(const struct vgg_weighted *layer, const struct vgg_weighted *next)
{
    const struct vgg_site *first = next->norm_before != NULL ? next->norm_before : next->site;
    const struct vgg_site *last = get_last(layer);
    struct places places = {
        .before_norm = layer->norm != NULL ? vgg_site_count_between(layer->site, layer->norm) : -1,
        .after = vgg_site_count_between(last, first),
        .leading = vgg_site_is_beside(layer->site, first) ? -1 : first->place.number,
    };
    if (places.leading > 1 && is_continued(last, first)) {
        places.after = first->place.number - last->place.number - 1;
        places.leading = -1;
    }
    return places;
}

/* Whether no two convolutions of a Sequential have a free number between them, although some are neighbours. */
static bool is_listed(const struct vgg_sites *sites)
{
    bool neighbours = false;
    for (size_t i = 0; i + 1 < sites->conv_count; i++) {
        const int between =
            vgg_site_count_between(get_last(&sites->convs[i]), sites->convs[i + 1].site);
        if (between > 0) {
            return false;
        }
        neighbours = neighbours || between == 0;
    }
    return neighbours;
}

bool vgg_outline_is_former_linear(const struct vgg_outline *outline,
                                  const struct vgg_tensor *weight)
{
    const struct vgg_sites *sites = outline->sites;
    return sites->linear_count == 0 && weight->shape[2] > sites->convs[0].site->weight->shape[2];
}

/* ---- convolutions ---- */

static vgg_status fail_places(const struct reading *reading, size_t i, int modules)
{
    const struct vgg_weighted *conv = &reading->sites->convs[i];
    return vgg_fail_hint(reading->load->err, VGG_ERR_UNSUPPORTED, VGG_HINT_LAYERS,
                         "%s: expected %sReLU and at most one pool between the convolutions %s and "
                         "%s, got %d modules, whose kinds the file does not tell",
                         reading->load->path, conv->norm != NULL ? "BatchNorm2d, " : "",
                         conv->site->name, conv[1].site->name, modules);
}

/* Places the activation; returns the number of places that are left after it, or -1. */
static int place_activation(const struct places *places, bool has_prelu, bool unit,
                            struct vgg_unit *out)
{
    if (has_prelu || unit) {
        return places->after; /* PReLU is known, and a unit has its own activation */
    }
    if (places->before_norm > 0) {
        out->activation = VGG_BEFORE_NORM;
        return places->after;
    }
    if (places->after == 0) {
        out->activation = VGG_NOWHERE;
        return 0;
    }
    return places->after > 0 ? places->after - 1 : -1;
}

/* Whether a convolution is, or follows, one that takes the place of a linear layer. */
static bool is_in_head(const struct reading *reading, size_t i)
{
    for (size_t before = 0; before <= i; before++) {
        const struct vgg_site *site = reading->sites->convs[before].site;
        if (vgg_outline_is_former_linear(reading->out, site->weight)) {
            return true;
        }
    }
    return false;
}

/* Takes a pool between a layer and its BatchNorm, for which the numbers leave a second place beside the activation's. */
static bool take_pool_before_norm(const struct places *places, int left, struct vgg_unit *unit)
{
    if (unit->activation != VGG_BEFORE_NORM || places->before_norm != 2 || left > 0) {
        return false;
    }
    unit->pool_before_norm = true;
    unit->gap = VGG_GAP_NONE;
    return true;
}

/* Reads the gap after a convolution that is not the last, without cfg. */
static vgg_status read_gap(const struct reading *reading, size_t i, struct vgg_unit *unit)
{
    const struct vgg_weighted *conv = &reading->sites->convs[i];
    struct places places = find_places(conv, conv + 1);
    if (reading->out->listed) {
        places.after = places.after == 0 ? -1 : places.after;
    }
    const int left = place_activation(&places, conv->prelu != NULL, conv->site->place.unit, unit);
    if (take_pool_before_norm(&places, left, unit)) {
        return VGG_OK;
    }
    if (is_in_head(reading, i)) {
        unit->gap = VGG_GAP_NONE; /* what follows the activation is Dropout */
        unit->identities = left > 0 ? left : 0;
        return VGG_OK;
    }
    const int modules =
        places.after + (conv->norm != NULL && places.before_norm >= 0 ? 1 + places.before_norm : 0);
    if (left > 1 || places.before_norm > 1) {
        return fail_places(reading, i, modules);
    }
    unit->gap = left < 0 ? VGG_GAP_UNKNOWN : left == 0 ? VGG_GAP_NONE : VGG_GAP_POOL;
    if (places.leading > 1) {
        return fail_places(reading, i, places.leading);
    }
    if (places.leading == 1) {
        unit->gap = VGG_GAP_POOL; /* the next block begins with one module: a pool */
    }
    if (left == 0 && places.after == 1 && unit->activation == VGG_AFTER_NORM) {
        unit->activation = VGG_OR_POOL;
    }
    return VGG_OK;
}

/* Reads what lies after the last convolution: only a Sequential of the whole net shows it, in which Flatten lies before
 * the linear layer. */
static void read_last(const struct reading *reading, size_t i, struct vgg_unit *unit)
{
    const struct vgg_sites *sites = reading->sites;
    const struct vgg_weighted *conv = &sites->convs[i];
    struct places places = {.before_norm = -1, .after = -1};
    if (sites->linear_count > 0) {
        places = find_places(conv, &sites->linears[0]);
    } else if (conv->norm != NULL) {
        places.before_norm = vgg_site_count_between(conv->site, conv->norm);
    }
    if (places.after > 0) {
        places.after--;
    }
    const int left = place_activation(&places, conv->prelu != NULL, conv->site->place.unit, unit);
    if (take_pool_before_norm(&places, left, unit)) {
        return;
    }
    unit->gap = left < 0 ? VGG_GAP_UNKNOWN : left == 0 ? VGG_GAP_NONE : VGG_GAP_POOL;
    unit->identities = left > 1 ? left - 1 : 0;
    if (left == 0 && places.after == 1 && unit->activation == VGG_AFTER_NORM) {
        unit->activation = VGG_OR_POOL;
    }
}

static vgg_status fail_cfg(const struct reading *reading, size_t i, int wanted, int found)
{
    const struct vgg_weighted *conv = &reading->sites->convs[i];
    return vgg_fail(reading->load->err, VGG_ERR_MISMATCH,
                    "%s: cfg has %d modules between %s and %s, but their numbers leave %d",
                    reading->load->path, wanted, conv->site->name, conv[1].site->name, found);
}

/* Whether a cfg has a pool after each convolution, and the numbers leave one place for each: the net is a
 * Sequential(conv, pool, conv, pool). */
static bool has_pools_alone(const struct reading *reading)
{
    const struct vgg_cfg *cfg = reading->cfg;
    const struct vgg_sites *sites = reading->sites;
    for (size_t i = 0; i + 1 < cfg->count; i++) {
        if (cfg->entries[i].kind == VGG_CFG_CONV && cfg->entries[i + 1].kind == VGG_CFG_CONV) {
            return false;
        }
    }
    for (size_t i = 0; i + 1 < sites->conv_count; i++) {
        if (find_places(&sites->convs[i], &sites->convs[i + 1]).after != 1) {
            return false;
        }
    }
    return true;
}

/* Whether the numbers leave no place for pools anywhere, so that those of the cfg are functions. */
static bool has_functional_pools(const struct reading *reading)
{
    const struct vgg_sites *sites = reading->sites;
    for (size_t i = 0; i + 1 < sites->conv_count; i++) {
        if (find_places(&sites->convs[i], &sites->convs[i + 1]).after > 1) {
            return false;
        }
    }
    return true;
}

/* Takes the entries of the cfg up to the next convolution, and Dropout where the numbers leave place for more.
 *   entry  the index in cfg of the convolution; receives that of the next one */
static vgg_status take_entries(struct reading *reading, size_t i, size_t *entry,
                               struct vgg_unit *unit)
{
    const struct vgg_cfg *cfg = reading->cfg;
    const struct vgg_weighted *conv = &reading->sites->convs[i];
    const bool last = i + 1 == reading->sites->conv_count;
    unit->entries = &cfg->entries[++*entry];
    while (*entry < cfg->count && cfg->entries[*entry].kind != VGG_CFG_CONV) {
        ++*entry;
        unit->entry_count++;
    }
    if (last) {
        read_last(reading, i, unit);
        unit->gap = VGG_GAP_CFG;
        unit->identities = 0;
        if (i > 0 && unit->activation != VGG_BEFORE_NORM) {
            unit->activation = unit[-1].activation;
        }
        return VGG_OK;
    }
    unit->gap = VGG_GAP_CFG;
    struct places places = find_places(conv, conv + 1);
    if (reading->out->listed) {
        places.after = places.after == 0 ? -1 : places.after;
    }
    const int wanted = (int)unit->entry_count;
    const int left = place_activation(&places, conv->prelu != NULL, conv->site->place.unit, unit);
    if (left < 0) {
        return VGG_OK;
    }
    if (wanted == 1 && places.after == 1 && left == 0 && has_pools_alone(reading)) {
        unit->activation = VGG_NOWHERE;
        return VGG_OK;
    }
    if (wanted > left && left == 0 && places.after == 1 && has_functional_pools(reading)) {
        unit->functional = true;
        reading->out->functional_after = conv->site;
        return VGG_OK;
    }
    if (wanted > left) {
        const int own = conv->norm != NULL && places.before_norm >= 0 ? 1 + places.before_norm : 0;
        return fail_cfg(reading, i, wanted + own + 1, places.after + own);
    }
    unit->identities = left - wanted;
    if (unit->identities > 0) {
        reading->out->dropout_before = conv[1].site;
    }
    return VGG_OK;
}

/* Compares the convolutions with those of the cfg. */
static vgg_status check_cfg(const struct reading *reading)
{
    const struct vgg_cfg *cfg = reading->cfg;
    const struct vgg_sites *sites = reading->sites;
    char shape[VGG_SHAPE_TEXT_BYTES];
    if (cfg->conv_count != sites->conv_count) {
        return vgg_fail(reading->load->err, VGG_ERR_MISMATCH,
                        "%s: expected %zu convolutions as cfg has, found %zu: %s … %s",
                        reading->load->path, cfg->conv_count, sites->conv_count,
                        sites->convs[0].site->weight->name,
                        sites->convs[sites->conv_count - 1].site->weight->name);
    }
    for (size_t i = 0, conv = 0; i < cfg->count; i++) {
        if (cfg->entries[i].kind != VGG_CFG_CONV) {
            continue;
        }
        const struct vgg_tensor *weight = sites->convs[conv++].site->weight;
        if (weight->shape[0] != cfg->entries[i].channels) {
            return vgg_fail(reading->load->err, VGG_ERR_MISMATCH,
                            "%s: %s: expected %d output channels, entry %zu of cfg, found %s",
                            reading->load->path, weight->name, cfg->entries[i].channels, i + 1,
                            vgg_shape_text(weight->shape, weight->ndim, shape));
        }
    }
    return VGG_OK;
}

static vgg_status read_convs(struct reading *reading)
{
    const size_t count = reading->sites->conv_count;
    size_t entry = 0;
    vgg_status status = reading->cfg != NULL ? check_cfg(reading) : VGG_OK;
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        struct vgg_unit *unit = &reading->out->convs[i];
        const struct vgg_weighted *conv = &reading->sites->convs[i];
        unit->layer = conv;
        if (reading->cfg != NULL) {
            status = take_entries(reading, i, &entry, unit);
        } else if (i + 1 < count) {
            status = read_gap(reading, i, unit);
        } else {
            read_last(reading, i, unit);
        }
    }
    return status;
}

/* ---- linear layers ---- */

static vgg_status fail_linear(const struct reading *reading, size_t i, int modules)
{
    const struct vgg_weighted *linear = &reading->sites->linears[i];
    const bool norm = i > 0 && linear[-1].norm != NULL;
    return vgg_fail(reading->load->err, VGG_ERR_UNSUPPORTED,
                    "%s: expected %s%s before the linear layer %s, found numbers for %d modules",
                    reading->load->path, norm ? "BatchNorm1d, " : "",
                    i == 0 ? "at most a pool, Flatten and Dropout" : "ReLU and at most Dropout",
                    linear->site->name, modules);
}

/* Whether a layer without a number stands in the Sequential of a numbered one: classifier.add_module("extra", layer) puts
 * it directly behind. */
static bool is_appended(const struct vgg_site *before, const struct vgg_site *site)
{
    return before->place.number >= 0 && !before->place.unit && site->place.number < 0 &&
           before->place.parent > 0 && site->place.parent == before->place.parent &&
           memcmp(before->name, site->name, site->place.parent) == 0;
}

/* Whether the next linear layer is outside the net that ends in this one: the convolutions and this layer share a
 * beginning of their names, "vgg.", which the next one does not have. */
static bool is_outside(const struct vgg_sites *sites, size_t i)
{
    const char *conv = sites->convs[0].site->name, *linear = sites->linears[i].site->name;
    size_t shared = 0;
    for (size_t at = 0; conv[at] != '\0' && conv[at] == linear[at]; at++) {
        shared = conv[at] == '.' ? at + 1 : shared;
    }
    return shared > 0 && strncmp(sites->linears[i + 1].site->name, conv, shared) != 0;
}

/* Whether a classifier has its three layers, so that nothing of it was taken off and replaced by modules without weights:
 * its outputs are scores. */
static bool is_whole_head(const struct vgg_sites *sites, size_t i)
{
    return i >= 2 && vgg_site_is_beside(sites->linears[i - 2].site, sites->linears[i].site) &&
           vgg_site_is_beside(sites->linears[i - 1].site, sites->linears[i].site);
}

/* Reads the gap between two linear layers: an activation, then Dropout. */
static vgg_status read_linear_gap(const struct reading *reading, size_t i, struct vgg_unit *unit)
{
    const struct vgg_weighted *linear = &reading->sites->linears[i];
    struct places places = find_places(linear, linear + 1);
    if (reading->out->listed) {
        places.after = places.after == 0 ? -1 : places.after;
    }
    const int left = place_activation(&places, linear->prelu != NULL, false, unit);
    const bool outside = is_outside(reading->sites, i);
    if (is_appended(linear->site, linear[1].site) ||
        (outside && is_whole_head(reading->sites, i))) {
        unit->activation = VGG_NOWHERE;
    }
    if (outside && reading->out->top == NULL) {
        reading->out->top = linear[1].site;
    }
    if (left > 1 || places.before_norm > 1 || places.leading > 2) {
        return fail_linear(reading, i + 1,
                           places.after + (places.before_norm >= 0 ? 1 + places.before_norm : 0));
    }
    unit->identities = left > 0 ? left : 0;
    if (places.leading > 0 && !linear[1].site->place.unit) {
        unit[1].identities_before = places.leading;
    }
    return VGG_OK;
}

/* Reads what lies between the features and the first linear layer: Flatten and Dropout, in the classifier's Sequential or
 * in that of the whole net. */
static vgg_status read_first_linear(const struct reading *reading, struct vgg_unit *unit)
{
    enum { MAX_MODULES = 3 };
    const struct vgg_sites *sites = reading->sites;
    const struct vgg_weighted *linear = unit->layer;
    const struct vgg_site *first = linear->norm_before != NULL ? linear->norm_before : linear->site;
    const struct vgg_weighted *conv = &sites->convs[sites->conv_count - 1];
    const bool beside = vgg_site_count_between(get_last(conv), first) >= 0;
    const int leading = beside || first->place.unit ? 0 : first->place.number;
    const int between =
        linear->norm_before != NULL ? vgg_site_count_between(first, linear->site) : 0;
    const int after = reading->out->convs[sites->conv_count - 1].identities;
    unit->identities_before = leading > 0 ? leading : 0;
    unit->identities_between = between > 0 ? between : 0;
    const int modules = unit->identities_before + unit->identities_between + after;
    return modules > MAX_MODULES ? fail_linear(reading, 0, modules) : VGG_OK;
}

int vgg_outline_count_idle(const struct vgg_outline *outline)
{
    const struct vgg_sites *sites = outline->sites;
    int count = 0;
    for (size_t i = 0; i < sites->linear_count; i++) {
        count += outline->linears[i].identities_before + outline->linears[i].identities_between;
    }
    return count;
}

static vgg_status read_linears(struct reading *reading)
{
    const size_t count = reading->sites->linear_count;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        struct vgg_unit *unit = &reading->out->linears[i];
        const struct vgg_weighted *linear = &reading->sites->linears[i];
        unit->layer = linear;
        unit->gap = VGG_GAP_NONE;
        if (i == 0) {
            status = read_first_linear(reading, unit);
        }
        if (i + 1 < count) {
            status = status ? status : read_linear_gap(reading, i, unit);
        } else if (linear->norm != NULL) {
            unit->activation = VGG_NOWHERE;
        }
    }
    return status;
}

vgg_status vgg_outline_read(const struct vgg_load *load, const struct vgg_sites *sites,
                            const struct vgg_cfg *cfg, struct vgg_outline *out)
{
    struct reading reading = {.load = load, .sites = sites, .cfg = cfg, .out = out};
    const size_t units = sites->conv_count + sites->linear_count;
    *out = (struct vgg_outline){.sites = sites, .listed = is_listed(sites), .has_cfg = cfg != NULL};
    out->convs = vgg_load_alloc(load, units, sizeof *out->convs);
    if (out->convs == NULL) {
        return vgg_load_fail_memory(load, units * sizeof *out->convs, "the layers");
    }
    out->linears = out->convs + sites->conv_count;
    vgg_status status = read_convs(&reading);
    return status ? status : read_linears(&reading);
}
