/* SPDX-License-Identifier: MIT */
/* Infers the description of a net from the names and shapes of its tensors. */
#include "model/infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/infer/weight_names.h"
#include "model/infer/chain_describe.h"
#include "model/infer/layer_rules.h"

/* A weight and its index in `features` or `classifier`. */
struct indexed {
    /* -1: the tensor is `classifier.weight` itself */
    int index;
    const struct vgg_tensor *weight;
};

/* The weights of one Sequential, sorted by index. */
struct weights {
    struct indexed *items;
    size_t count;
};

struct inference {
    const struct vgg_load *load;
    const struct vgg_tensor_list *tensors;
    /* NULL: none was given. */
    const struct vgg_cfg *cfg;
    /* The names of the two Sequentials. */
    const char *features, *classifier;
    struct weights convs, linears;
    struct vgg_spec spec;
    struct vgg_text assumed;
};

/* Adds to the list of assumptions. */
__attribute__((format(printf, 2, 3))) static void assume(struct inference *in, const char *format,
                                                         ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vgg_text_add(&in->assumed, "%s%s", in->assumed.length > 0 ? "; " : "", text);
}

static int compare_indices(const void *a, const void *b)
{
    const struct indexed *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Finds the weights PREFIX.N.weight with ndim dimensions. */
static vgg_status find_weights(const struct inference *in, const char *prefix, int ndim,
                               struct weights *out)
{
    const struct vgg_tensor_list *tensors = in->tensors;
    *out = (struct weights){.items = vgg_load_alloc(in->load, tensors->count, sizeof *out->items)};
    if (out->items == NULL) {
        return vgg_load_fail_memory(in->load, tensors->count * sizeof *out->items, "the layers");
    }
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        int index;
        if (tensor->ndim == ndim && vgg_names_is_weight(tensor->name, prefix, &index)) {
            out->items[out->count++] = (struct indexed){.index = index, .weight = tensor};
        }
    }
    qsort(out->items, out->count, sizeof *out->items, compare_indices);
    return VGG_OK;
}

/* Fails because the tensors make no VGG.
 *   reason  why they make no chain of layers either, or "" */
static vgg_status fail_no_vgg(const struct inference *in, const char *reason)
{
    const struct vgg_tensor_list *tensors = in->tensors;
    struct vgg_text first = {0};
    char shape[VGG_SHAPE_TEXT_BYTES];
    for (size_t i = 0; i < tensors->count && i < 5; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        vgg_text_add(&first, "%s%.100s %s", i > 0 ? ", " : "", tensor->name,
                     vgg_shape_text(tensor->shape, tensor->ndim, shape));
    }
    return vgg_fail(in->load->err, VGG_ERR_FORMAT,
                    "%s: no VGG to be seen in this checkpoint: it has no features.N.weight "
                    "convolution%s%s; %s%s%s",
                    in->load->path, reason[0] != '\0' ? ", and in their order " : "", reason,
                    tensors->count > 0 ? "first tensors: " : "it has no tensors", first.buffer,
                    tensors->count > 5 ? ", …" : "");
}

/* Whether the file has a VGG's convolutions and no linear layer, as weights for comparing images have.
 *   ends  receives the first and the last convolution */
static bool is_convolutions_alone(const struct vgg_tensor_list *tensors,
                                  const struct vgg_tensor *ends[2])
{
    ends[0] = ends[1] = NULL;
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        if (tensor->ndim == 2) {
            return false;
        }
        if (tensor->ndim == 4) {
            ends[0] = ends[0] != NULL ? ends[0] : tensor;
            ends[1] = tensor;
        }
    }
    return ends[0] != NULL && ends[0]->shape[1] == 3 && ends[0]->shape[2] <= 3;
}

/* Finds a layer that PyTorch's dynamic quantisation wrote: its weight is no tensor, but its zero point is. */
static const struct vgg_tensor *find_zero_point(const struct vgg_tensor_list *tensors)
{
    static const char leaf[] = ".zero_point";
    for (size_t i = 0; i < tensors->count; i++) {
        const size_t length = strlen(tensors->items[i]->name), tail = sizeof leaf - 1;
        if (length > tail && strcmp(tensors->items[i]->name + length - tail, leaf) == 0) {
            return tensors->items[i];
        }
    }
    return NULL;
}

/* Refuses checkpoints that are known to have no classifier that can be run: FORMAT. */
static vgg_status check_classifier(const struct inference *in)
{
    const struct vgg_tensor *ends[2], *zero_point = find_zero_point(in->tensors);
    if (zero_point != NULL) {
        return vgg_fail(in->load->err, VGG_ERR_FORMAT,
                        "%s: %s: a quantised layer is not supported: save the float model that it "
                        "was made from",
                        in->load->path, zero_point->name);
    }
    if (is_convolutions_alone(in->tensors, ends)) {
        return vgg_fail(in->load->err, VGG_ERR_FORMAT,
                        "%s: expected a classifier, found convolutions alone (%.100s … %.100s): "
                        "features without linear layers give no classes, the whole checkpoint does",
                        in->load->path, ends[0]->name, ends[1]->name);
    }
    return VGG_OK;
}

/* Infers a net whose layers are not all in `features` and `classifier`. */
static vgg_status infer_chain(const struct inference *in, struct vgg_spec *out)
{
    struct vgg_chain chain;
    struct vgg_error reason = {0};
    struct vgg_load find = *in->load;
    vgg_status status = check_classifier(in);
    if (status != VGG_OK) {
        return status;
    }
    find.err = &reason;
    status = vgg_chain_find(&find, in->tensors, &chain);
    if (status == VGG_ERR_FORMAT) {
        return fail_no_vgg(in, reason.message);
    }
    if (status != VGG_OK) {
        if (in->load->err != NULL) {
            *in->load->err = reason;
        }
        return status;
    }
    return vgg_chain_describe(in->load, &chain, in->tensors, in->cfg, out);
}

/* Whether there is a BatchNorm after the layer PREFIX.INDEX. */
static bool has_batch_norm(const struct vgg_tensor_list *tensors, const char *prefix, int index)
{
    const struct vgg_tensor *weight =
        vgg_tensor_list_findf(tensors, "%s.%d.weight", prefix, ++index);
    return (weight != NULL && weight->ndim == 1) ||
           vgg_tensor_list_findf(tensors, "%s.%d.running_mean", prefix, index) != NULL ||
           vgg_tensor_list_findf(tensors, "%s.%d.running_var", prefix, index) != NULL;
}

static bool has_bias(const struct vgg_tensor_list *tensors, const char *prefix, int index)
{
    return index < 0 ? vgg_tensor_list_findf(tensors, "%s.bias", prefix) != NULL
                     : vgg_tensor_list_findf(tensors, "%s.%d.bias", prefix, index) != NULL;
}

/* Whether any layer has a bias. One is enough: if others have none, their biases are missing, which binding
 * reports. */
static bool any_bias(const struct inference *in, const char *prefix, const struct weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        if (has_bias(in->tensors, prefix, weights->items[i].index)) {
            return true;
        }
    }
    return false;
}

static bool any_batch_norm(const struct inference *in)
{
    for (size_t i = 0; i < in->convs.count; i++) {
        if (has_batch_norm(in->tensors, in->features, in->convs.items[i].index)) {
            return true;
        }
    }
    return false;
}

static vgg_status infer_conv(const struct inference *in, const struct vgg_tensor *weight,
                             struct vgg_layer *layer)
{
    vgg_status status = vgg_infer_check_kernel(in->load, weight);
    layer->kind = VGG_LAYER_CONV;
    layer->kernel = (int)weight->shape[2];
    layer->stride = 1;
    layer->padding = layer->kernel / 2;
    return status ? status : vgg_infer_read_width(in->load, weight, 0, &layer->channels);
}

/* Compares the convolutions that were found with those of cfg, if there is one. */
static vgg_status check_cfg(const struct inference *in)
{
    const struct vgg_cfg *cfg = in->cfg;
    const struct indexed *convs = in->convs.items;
    if (cfg == NULL) {
        return VGG_OK;
    }
    vgg_status status = vgg_infer_check_count(in->load, cfg, in->convs.count, convs[0].weight,
                                              convs[in->convs.count - 1].weight);
    for (size_t i = 0, conv = 0; i < cfg->count && status == VGG_OK; i++) {
        if (cfg->layers[i].kind == VGG_LAYER_CONV) {
            status = vgg_infer_check_entry(in->load, cfg, i, convs[conv++].weight);
        }
    }
    return status;
}

/* Without cfg: adds a pool if the indices leave room for one more module after a convolution.
 *   modules  that belong to the convolution: itself, its BatchNorm2d and its ReLU */
static vgg_status fill_gap(struct inference *in, const struct indexed *conv,
                           const struct indexed *next, int modules)
{
    static const struct vgg_layer pool = {.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
    const int free_places = next != NULL ? next->index - conv->index - modules : 1;
    if (free_places < 0 || free_places > 1) {
        return vgg_fail_hint(in->load->err, VGG_ERR_UNSUPPORTED,
                             free_places < 0 ? VGG_HINT_NONE : VGG_HINT_LAYERS,
                             "%s: expected %sReLU and at most one pool between the convolutions "
                             "%s.%d and %s.%d, got %d modules%s",
                             in->load->path, modules == 3 ? "BatchNorm2d, " : "", in->features,
                             conv->index, in->features, next->index, next->index - conv->index - 1,
                             free_places < 0 ? "" : ", whose kinds the file does not tell");
    }
    if (free_places == 1) {
        in->spec.layers[in->spec.layer_count++] = pool;
    }
    if (next == NULL) {
        assume(in, "a 2x2 max pool after %s.%d", in->features, conv->index + modules - 1);
    }
    return VGG_OK;
}

/* With cfg: adds its entries up to the next convolution, and Dropout where the indices leave room for more.
 *   entry  the index in cfg of the convolution; receives that of the next convolution */
static vgg_status take_entries(struct inference *in, size_t *entry, const struct indexed *conv,
                               const struct indexed *next, int modules)
{
    const struct vgg_layer *layers = in->cfg->layers;
    const size_t first = ++*entry;
    while (*entry < in->cfg->count && layers[*entry].kind != VGG_LAYER_CONV) {
        in->spec.layers[in->spec.layer_count++] = layers[(*entry)++];
    }
    const int count = (int)(*entry - first);
    const int free_places = next != NULL ? next->index - conv->index - modules : count;
    if (count > free_places) {
        return vgg_fail(in->load->err, VGG_ERR_MISMATCH,
                        "%s: expected room for %d modules between %s.%d and %s.%d as cfg has, "
                        "found it for %d",
                        in->load->path, count + modules - 1, in->features, conv->index,
                        in->features, next->index, next->index - conv->index - 1);
    }
    if (count < free_places) {
        assume(in, "Dropout where cfg has nothing, before %s.%d", in->features, next->index);
    }
    for (int i = count; i < free_places; i++) {
        in->spec.layers[in->spec.layer_count++] = (struct vgg_layer){.kind = VGG_LAYER_DROPOUT};
    }
    return VGG_OK;
}

/* The maximum number of layers: the convolutions, and a module for each index between them. */
static size_t count_places(const struct inference *in)
{
    const struct weights *convs = &in->convs;
    return in->cfg == NULL ? 2 * convs->count
                           : in->cfg->count + (size_t)convs->items[convs->count - 1].index;
}

/* Checks the first and the last index of the convolutions, and allocates the layers. */
static vgg_status allocate_layers(struct inference *in)
{
    const struct vgg_load *load = in->load;
    const struct indexed *convs = in->convs.items;
    const size_t places = count_places(in);
    if (convs[0].index != 0) {
        return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                        "%s: expected the first convolution at %s.0, found it at %s.%d", load->path,
                        in->features, in->features, convs[0].index);
    }
    if (places > 2 * (size_t)load->limits->layers + in->tensors->count) {
        return vgg_fail(load->err, VGG_ERR_LIMIT,
                        "%s: %s.%d: the net would have %zu layers, limit is %u", load->path,
                        in->features, convs[in->convs.count - 1].index, places,
                        load->limits->layers);
    }
    in->spec.layers = vgg_load_alloc(load, places, sizeof *in->spec.layers);
    return in->spec.layers != NULL
               ? VGG_OK
               : vgg_load_fail_memory(load, places * sizeof *in->spec.layers, "the layers");
}

static vgg_status infer_features(struct inference *in)
{
    const struct indexed *convs = in->convs.items;
    const bool bias = any_bias(in, in->features, &in->convs);
    const bool batch_norm = any_batch_norm(in);
    /* Of a convolution: itself, its BatchNorm2d and its ReLU. */
    const int modules = batch_norm ? 3 : 2;
    size_t entry = 0, points = 0;
    vgg_status status = allocate_layers(in);
    status = status ? status : check_cfg(in);
    for (size_t i = 0; i < in->convs.count && status == VGG_OK; i++) {
        const struct indexed *next = i + 1 < in->convs.count ? &convs[i + 1] : NULL;
        struct vgg_layer *layer = &in->spec.layers[in->spec.layer_count++];
        status = infer_conv(in, convs[i].weight, layer);
        layer->bias = bias;
        layer->batch_norm = batch_norm;
        points += layer->kernel == 1;
        if (status == VGG_OK) {
            status = in->cfg != NULL ? take_entries(in, &entry, &convs[i], next, modules)
                                     : fill_gap(in, &convs[i], next, modules);
        }
    }
    if (points > 0) {
        assume(in, "no padding round 1x1 convolutions");
    }
    return status;
}

/* Fails for a BatchNorm that does not directly follow a linear layer.
 *   before  the linear layer before it, or NULL */
static vgg_status fail_norm(const struct inference *in, const struct indexed *norm,
                            const struct indexed *before)
{
    char place[96] = "the first one";
    if (before != NULL) {
        snprintf(place, sizeof place, "ReLU or Dropout, %d places after %.40s.%d",
                 norm->index - before->index, in->classifier, before->index);
    }
    /* FORMAT, because after UNSUPPORTED the tensors are compared with those of a published net. */
    return vgg_fail(in->load->err, VGG_ERR_FORMAT,
                    "%s: %s: expected BatchNorm1d directly after a linear layer, found it %s %s",
                    in->load->path, norm->weight->name, before != NULL ? "after" : "before", place);
}

/* Refuses a BatchNorm that follows no linear layer: it cannot be folded into one. */
static vgg_status check_norms(const struct inference *in)
{
    const struct weights *linears = &in->linears;
    struct weights norms;
    size_t next = 0;
    vgg_status status = find_weights(in, in->classifier, 1, &norms);
    for (size_t i = 0; status == VGG_OK && i < norms.count; i++) {
        while (next < linears->count && linears->items[next].index < norms.items[i].index) {
            next++;
        }
        const struct indexed *before = next > 0 ? &linears->items[next - 1] : NULL;
        if (before == NULL || before->index + 1 != norms.items[i].index) {
            status = fail_norm(in, &norms.items[i], before);
        }
    }
    return status;
}

/* Finds the linear layers of the classifier, which may be a single layer without an index. */
static vgg_status find_linears(struct inference *in)
{
    vgg_status status = find_weights(in, in->classifier, 2, &in->linears);
    const struct vgg_tensor *single =
        vgg_tensor_list_findf(in->tensors, "%s.weight", in->classifier);
    if (status == VGG_OK && in->linears.count == 0 && single != NULL && single->ndim == 2) {
        in->linears.items[in->linears.count++] = (struct indexed){.index = -1, .weight = single};
    }
    return status;
}

static vgg_status infer_linear(const struct inference *in, const struct indexed *linear, bool bias,
                               struct vgg_head *head)
{
    head->index = linear->index;
    head->batch_norm = head->index >= 0 && has_batch_norm(in->tensors, in->classifier, head->index);
    /* Before a BatchNorm a bias has no effect, so that nets may leave it out of these layers alone. */
    head->bias = head->batch_norm ? has_bias(in->tensors, in->classifier, head->index) : bias;
    return vgg_infer_read_width(in->load, linear->weight, 0, &head->features);
}

static vgg_status infer_classifier(struct inference *in)
{
    struct vgg_spec *spec = &in->spec;
    vgg_status status = find_linears(in);
    status = status ? status : check_norms(in);
    if (status != VGG_OK) {
        return status;
    }
    spec->head_count = in->linears.count;
    spec->head = vgg_load_alloc(in->load, spec->head_count, sizeof *spec->head);
    if (spec->head == NULL) {
        return vgg_load_fail_memory(in->load, spec->head_count * sizeof *spec->head, "the layers");
    }
    const bool bias = any_bias(in, in->classifier, &in->linears);
    for (size_t i = 0; i < spec->head_count && status == VGG_OK; i++) {
        status = infer_linear(in, &in->linears.items[i], bias, &spec->head[i]);
    }
    const struct vgg_tensor *last_conv = in->convs.items[in->convs.count - 1].weight;
    return status ? status
                  : vgg_infer_avgpool(in->load, last_conv, in->linears.items[0].weight,
                                      &spec->avgpool);
}

/* Whether a Sequential in the classifier has linear layers, as in classifier.6.0.weight. */
static bool is_nested(const struct vgg_tensor_list *tensors, const char *classifier)
{
    const size_t length = strlen(classifier);
    for (size_t i = 0; i < tensors->count; i++) {
        const char *name = tensors->items[i]->name;
        size_t parent;
        int index;
        if (tensors->items[i]->ndim == 2 && vgg_names_parse(name, &parent, &index) &&
            parent > length && name[length] == '.' && memcmp(name, classifier, length) == 0 &&
            strspn(name + length, ".0123456789") >= parent - length) {
            return true;
        }
    }
    return false;
}

/* Whether the net is not a `features` and a `classifier` of layers with indices. */
static bool is_chain(const struct inference *in)
{
    return in->convs.count == 0 || !vgg_names_has(in->tensors, in->classifier, 2) ||
           is_nested(in->tensors, in->classifier);
}

vgg_status vgg_spec_infer_as(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                             const struct vgg_cfg *cfg, struct vgg_spec *out)
{
    struct inference in = {.load = load, .tensors = tensors, .cfg = cfg};
    vgg_status status = vgg_names_find(load, tensors, &in.spec);
    if (status != VGG_OK) {
        return status;
    }
    in.features = vgg_spec_get_features(&in.spec);
    in.classifier = vgg_spec_get_classifier(&in.spec);
    status = find_weights(&in, in.features, 4, &in.convs);
    if (status != VGG_OK) {
        return status;
    }
    if (is_chain(&in)) {
        return infer_chain(&in, out);
    }
    if (in.convs.count > load->limits->layers) {
        return vgg_fail(load->err, VGG_ERR_LIMIT,
                        "%s: the net has %zu convolutions, limit is %u layers", load->path,
                        in.convs.count, load->limits->layers);
    }
    status = infer_features(&in);
    status = status ? status : infer_classifier(&in);
    status = status ? status : vgg_infer_finish(load, in.assumed.buffer, &in.spec);
    if (status == VGG_OK) {
        *out = in.spec;
    }
    return status;
}
