/* SPDX-License-Identifier: MIT */
/* Finds which convolution or linear layer each BatchNorm and each PReLU belongs to. */
#include "model/infer/norm_sites.h"

#include "model/graph/tensors.h"

static struct vgg_weighted *find(struct vgg_weighted *layers, size_t count,
                                 const struct vgg_site *site)
{
    for (size_t i = 0; i < count; i++) {
        if (layers[i].site == site) {
            return &layers[i];
        }
    }
    return NULL;
}

/* The layer of a module in the order. */
static struct vgg_weighted *find_layer(const struct vgg_norm_search *search, size_t at)
{
    const struct vgg_site *site = search->order[at];
    return site->kind == VGG_SITE_CONV     ? find(search->convs, search->conv_count, site)
           : site->kind == VGG_SITE_LINEAR ? find(search->linears, search->linear_count, site)
                                           : NULL;
}

static struct vgg_weighted *find_next(const struct vgg_norm_search *search, size_t at)
{
    struct vgg_weighted *layer = NULL;
    while (++at < search->count && layer == NULL) {
        layer = find_layer(search, at);
    }
    return layer;
}

static bool attach_norm(struct vgg_weighted *before, struct vgg_weighted *next,
                        const struct vgg_site *norm)
{
    if (before != NULL && before->norm == NULL &&
        before->site->out_channels == norm->out_channels) {
        before->norm = norm;
        return true;
    }
    if (next != NULL && next->norm_before == NULL && next->site->kind == VGG_SITE_LINEAR &&
        next->site->in_channels == norm->out_channels) {
        next->norm_before = norm;
        return true;
    }
    return false;
}

static bool attach_prelu(struct vgg_weighted *before, const struct vgg_site *prelu)
{
    if (before == NULL || before->prelu != NULL ||
        (prelu->out_channels != 1 && prelu->out_channels != before->site->out_channels)) {
        return false;
    }
    before->prelu = prelu;
    return true;
}

/* Gives each layer the modules that stand beside it in the order. */
static bool attach_neighbours(const struct vgg_norm_search *search)
{
    struct vgg_weighted *before = NULL;
    for (size_t i = 0; i < search->count; i++) {
        const struct vgg_site *site = search->order[i];
        struct vgg_weighted *layer = find_layer(search, i);
        if (layer != NULL) {
            before = layer;
        } else if (site->kind == VGG_SITE_NORM) {
            if (!attach_norm(before, find_next(search, i), site)) {
                return false;
            }
        } else if (!attach_prelu(before, site)) {
            return false;
        }
    }
    return true;
}

static void detach(struct vgg_weighted *layers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        layers[i].norm = layers[i].norm_before = layers[i].prelu = NULL;
    }
}

/* The n-th module of a kind in the order; NULL: there are not as many. */
static const struct vgg_site *find_nth(const struct vgg_norm_search *search,
                                       enum vgg_site_kind kind, size_t n)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->order[i]->kind == kind && n-- == 0) {
            return search->order[i];
        }
    }
    return NULL;
}

/* Gives the n-th layer, convolutions first, the n-th BatchNorm and the n-th PReLU.
 *   layers  the layers that have one: the convolutions, or these and all linear layers but the last */
static bool attach_pairs(const struct vgg_norm_search *search, enum vgg_site_kind kind,
                         size_t layers)
{
    if (find_nth(search, kind, layers) != NULL) {
        return false;
    }
    for (size_t i = 0; i < layers; i++) {
        struct vgg_weighted *layer =
            i < search->conv_count ? &search->convs[i] : &search->linears[i - search->conv_count];
        const struct vgg_site *site = find_nth(search, kind, i);
        const bool attached =
            site != NULL &&
            (kind == VGG_SITE_NORM ? attach_norm(layer, NULL, site) : attach_prelu(layer, site));
        if (!attached) {
            return false;
        }
    }
    return true;
}

/* Attaches all modules of a kind as pairs, if there are any. */
static bool attach_kind(const struct vgg_norm_search *search, enum vgg_site_kind kind)
{
    if (find_nth(search, kind, 0) == NULL) {
        return true;
    }
    const size_t inner = search->linear_count > 0 ? search->linear_count - 1 : 0;
    return find_nth(search, kind, search->conv_count) == NULL
               ? attach_pairs(search, kind, search->conv_count)
               : attach_pairs(search, kind, search->conv_count + inner);
}

/* Fails for a weight of one dimension without bias or running statistics, which is no PReLU's either. */
static vgg_status fail_prelu(const struct vgg_load *load, const struct vgg_site *prelu)
{
    char shape[VGG_SHAPE_TEXT_BYTES];
    return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                    "%s: %s: expected the slopes of a PReLU, one or one for each channel of the "
                    "layer before it, found %s",
                    load->path, prelu->weight->name,
                    vgg_shape_text(prelu->weight->shape, prelu->weight->ndim, shape));
}

static size_t count_norms(const struct vgg_norm_search *search)
{
    size_t count = 0;
    while (find_nth(search, VGG_SITE_NORM, count) != NULL) {
        count++;
    }
    return count;
}

vgg_status vgg_norm_sites_attach(const struct vgg_load *load, const struct vgg_norm_search *search)
{
    if (attach_neighbours(search)) {
        return VGG_OK;
    }
    detach(search->convs, search->conv_count);
    detach(search->linears, search->linear_count);
    if (attach_kind(search, VGG_SITE_NORM) && attach_kind(search, VGG_SITE_PRELU)) {
        return VGG_OK;
    }
    const struct vgg_site *norm = find_nth(search, VGG_SITE_NORM, 0);
    if (norm == NULL) {
        return fail_prelu(load, find_nth(search, VGG_SITE_PRELU, 0));
    }
    return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                    "%s: expected a BatchNorm2d after each convolution or none, found %zu of them "
                    "(%s …) and %zu convolutions that they cannot be assigned to",
                    load->path, count_norms(search), norm->name, search->conv_count);
}
