/* From the names and shapes of a checkpoint's tensors to the description of the net. */
#include "model/infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/infer/weight_names.h"
#include "model/infer/chain_describe.h"
#include "model/spec/defaults.h"

/* A weight and its place in `features` or `classifier`. */
struct found {
    int index; /* -1: the tensor is `classifier.weight` itself */
    const struct vgg_tensor *weight;
};

/* What is being inferred, and from what. */
struct inference {
    const char *path;
    const struct vgg_tensor_list *tensors;
    const struct vgg_cfg *cfg; /* NULL: not known */
    const char *features;      /* the Sequentials' names */
    const char *classifier;
    struct vgg_arena *arena;
    struct vgg_spec spec;
    struct vgg_error *err;
    char assumed[256];
};

/* Adds to what is taken for granted. */
__attribute__((format(printf, 2, 3))) static void assume(struct inference *in, const char *format,
                                                         ...)
{
    const size_t used = strlen(in->assumed);
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    snprintf(in->assumed + used, sizeof in->assumed - used, "%s%s", used > 0 ? "; " : "", text);
}

static int compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* The weights PREFIX.N.weight with ndim dimensions, by N; *out is [*count]. */
static vgg_status find_weights(const struct vgg_tensor_list *tensors, const char *prefix, int ndim,
                               struct vgg_arena *arena, struct found **out, size_t *count,
                               struct vgg_error *err)
{
    struct found *found = vgg_arena_alloc(arena, tensors->count, sizeof *found);
    if (found == NULL) {
        return vgg_fail_memory(err, prefix, tensors->count * sizeof *found, "the layers");
    }
    *count = 0;
    for (size_t i = 0; i < tensors->count; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        int index;
        if (tensor->ndim == ndim && vgg_names_is_weight(tensor->name, prefix, &index)) {
            found[(*count)++] = (struct found){.index = index, .weight = tensor};
        }
    }
    qsort(found, *count, sizeof *found, compare_found);
    *out = found;
    return VGG_OK;
}

static vgg_status fail_no_vgg(const char *path, const struct vgg_tensor_list *tensors,
                              const char *reason, struct vgg_error *err)
{
    struct vgg_text first = {0};
    char shape[VGG_SHAPE_TEXT_BYTES];
    for (size_t i = 0; i < tensors->count && i < 5; i++) {
        const struct vgg_tensor *tensor = tensors->items[i];
        vgg_text_add(&first, "%s%.100s %s", i > 0 ? ", " : "", tensor->name,
                     vgg_shape_text(tensor->shape, tensor->ndim, shape));
    }
    return vgg_fail(err, VGG_ERR_FORMAT,
                    "%s: no VGG to be seen in this checkpoint: it has no features.N.weight "
                    "convolution%s%s; %s%s%s",
                    path, reason[0] != '\0' ? ", and in their order " : "", reason,
                    tensors->count > 0 ? "first tensors: " : "it has no tensors", first.buffer,
                    tensors->count > 5 ? ", …" : "");
}

/* A VGG's convolutions and no linear layer: weights of those who compare pictures, not classify them. */
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

/* What dynamic quantisation makes of linear layers: bytes that are no tensors, beside a scale and a zero point. */
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

/* A net that has no `features` or no `classifier`. */
static vgg_status infer_chain(const char *path, const struct vgg_tensor_list *tensors,
                              const struct vgg_cfg *cfg, const struct vgg_limits *limits,
                              struct vgg_arena *arena, struct vgg_spec *out, struct vgg_error *err)
{
    struct vgg_chain chain;
    struct vgg_error reason = {0};
    const struct vgg_tensor *ends[2], *zero_point = find_zero_point(tensors);
    if (zero_point != NULL) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: %s: a quantised layer is not supported: save the float model that it "
                        "was made from",
                        path, zero_point->name);
    }
    if (is_convolutions_alone(tensors, ends)) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: expected a classifier, found convolutions alone (%.100s … %.100s): "
                        "features without linear layers give no classes, the whole checkpoint does",
                        path, ends[0]->name, ends[1]->name);
    }
    vgg_status status = vgg_chain_find(path, tensors, arena, &chain, &reason);
    if (status == VGG_ERR_FORMAT) {
        return fail_no_vgg(path, tensors, reason.message, err);
    }
    if (status != VGG_OK) {
        if (err != NULL) {
            *err = reason;
        }
        return status;
    }
    return vgg_chain_describe(path, &chain, tensors, cfg, limits, arena, out, err);
}

/* A side of a weight as a number of channels or features. */
static vgg_status read_width(const char *path, const struct vgg_tensor *weight, int dim, int *out,
                             struct vgg_error *err)
{
    if (weight->shape[dim] < 1 || weight->shape[dim] > VGG_MAX_CHANNELS) {
        char shape[VGG_SHAPE_TEXT_BYTES];
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: %s: expected sides of 1 to %d, found %s", path,
                        weight->name, VGG_MAX_CHANNELS,
                        vgg_shape_text(weight->shape, weight->ndim, shape));
    }
    *out = (int)weight->shape[dim];
    return VGG_OK;
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

/* Whether any layer of a part has it. One is enough: when others lack theirs, those tensors are
 * missing, and binding will say so. */
static bool any_bias(const struct vgg_tensor_list *tensors, const char *prefix,
                     const struct found *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_bias(tensors, prefix, found[i].index)) {
            return true;
        }
    }
    return false;
}

static bool any_batch_norm(const struct inference *in, const struct found *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_batch_norm(in->tensors, in->features, found[i].index)) {
            return true;
        }
    }
    return false;
}

static vgg_status infer_conv(const struct inference *in, const struct vgg_tensor *weight,
                             struct vgg_layer *layer)
{
    int64_t kernel = weight->shape[2];
    /* Larger ones are other nets' (AlexNet's first is 11x11), whose strides names cannot tell. */
    if (kernel != weight->shape[3] || (kernel != 3 && kernel != 1)) {
        char shape[VGG_SHAPE_TEXT_BYTES];
        return vgg_fail(in->err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected a convolution of 3x3 or 1x1, as a VGG has, found %s",
                        in->path, weight->name, vgg_shape_text(weight->shape, weight->ndim, shape));
    }
    layer->kind = VGG_LAYER_CONV;
    layer->kernel = (int)kernel;
    layer->stride = 1;
    layer->padding = (int)kernel / 2;
    return read_width(in->path, weight, 0, &layer->channels, in->err);
}

/* Compares the convolutions that were found with those of the configuration. */
static vgg_status check_cfg(const struct inference *in, const struct found *convs, size_t count)
{
    if (in->cfg->conv_count != count) {
        return vgg_fail(in->err, VGG_ERR_MISMATCH,
                        "%s: expected %zu convolutions as cfg has, found %zu: %s … %s", in->path,
                        in->cfg->conv_count, count, convs[0].weight->name,
                        convs[count - 1].weight->name);
    }
    for (size_t i = 0, conv = 0; i < in->cfg->count; i++) {
        const struct vgg_layer *entry = &in->cfg->layers[i];
        char shape[VGG_SHAPE_TEXT_BYTES];
        if (entry->kind != VGG_LAYER_CONV) {
            continue;
        }
        const struct vgg_tensor *weight = convs[conv++].weight;
        if (weight->shape[0] != entry->channels) {
            return vgg_fail(in->err, VGG_ERR_MISMATCH,
                            "%s: %s: expected %d output channels, entry %zu of cfg, found %s",
                            in->path, weight->name, entry->channels, i + 1,
                            vgg_shape_text(weight->shape, weight->ndim, shape));
        }
    }
    return VGG_OK;
}

/* Without a configuration: what lies in the gap after a convolution. */
static vgg_status fill_gap(struct inference *in, const struct found *conv, const struct found *next,
                           int modules, bool batch_norm)
{
    static const struct vgg_layer pool = {.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
    const int room = next != NULL ? next->index - conv->index - modules : 1;
    if (room < 0 || room > 1) {
        return vgg_fail_hint(in->err, VGG_ERR_UNSUPPORTED,
                             room < 0 ? VGG_HINT_NONE : VGG_HINT_LAYERS,
                             "%s: expected %sReLU and at most one pool between the convolutions "
                             "%s.%d and %s.%d, got %d modules%s",
                             in->path, batch_norm ? "BatchNorm2d, " : "", in->features, conv->index,
                             in->features, next->index, next->index - conv->index - 1,
                             room < 0 ? "" : ", whose kinds the file does not tell");
    }
    if (room == 1) {
        in->spec.layers[in->spec.layer_count++] = pool;
    }
    if (next == NULL) {
        assume(in, "a 2x2 max pool after %s.%d", in->features, conv->index + modules - 1);
    }
    return VGG_OK;
}

/* With one: its entries up to the next convolution, and Dropout where there is more room. *entry is the
 * convolution's, and then the next one's. */
static vgg_status take_entries(struct inference *in, size_t *entry, const struct found *conv,
                               const struct found *next, int modules)
{
    const struct vgg_layer *layers = in->cfg->layers;
    const size_t first = ++*entry;
    while (*entry < in->cfg->count && layers[*entry].kind != VGG_LAYER_CONV) {
        in->spec.layers[in->spec.layer_count++] = layers[(*entry)++];
    }
    const int count = (int)(*entry - first);
    const int room = next != NULL ? next->index - conv->index - modules : count;
    if (count > room) {
        return vgg_fail(in->err, VGG_ERR_MISMATCH,
                        "%s: expected room for %d modules between %s.%d and %s.%d as cfg has, "
                        "found it for %d",
                        in->path, count + modules - 1, in->features, conv->index, in->features,
                        next->index, next->index - conv->index - 1);
    }
    if (count < room) {
        assume(in, "Dropout where cfg has nothing, before %s.%d", in->features, next->index);
    }
    for (int i = count; i < room; i++) {
        in->spec.layers[in->spec.layer_count++] = (struct vgg_layer){.kind = VGG_LAYER_DROPOUT};
    }
    return VGG_OK;
}

/* How many layers there can be: convolutions, and a module for each index between them. */
static size_t count_places(const struct inference *in, const struct found *convs, size_t count)
{
    return in->cfg == NULL ? 2 * count : in->cfg->count + (size_t)convs[count - 1].index;
}

static vgg_status infer_features(struct inference *in, const struct found *convs, size_t count,
                                 const struct vgg_limits *limits)
{
    const bool bias = any_bias(in->tensors, in->features, convs, count);
    const bool batch_norm = any_batch_norm(in, convs, count);
    const int modules = batch_norm ? 3 : 2; /* of a convolution: with its BatchNorm2d and ReLU */
    const size_t places = count_places(in, convs, count);
    size_t entry = 0, points = 0;
    vgg_status status = VGG_OK;
    if (convs[0].index != 0) {
        return vgg_fail(in->err, VGG_ERR_UNSUPPORTED,
                        "%s: expected the first convolution at %s.0, found it at %s.%d", in->path,
                        in->features, in->features, convs[0].index);
    }
    if (in->cfg != NULL && (status = check_cfg(in, convs, count)) != VGG_OK) {
        return status;
    }
    if (places > 2 * (size_t)limits->layers + in->tensors->count) {
        return vgg_fail(in->err, VGG_ERR_LIMIT,
                        "%s: %s.%d: the net would have %zu layers, limit is %u", in->path,
                        in->features, convs[count - 1].index, places, limits->layers);
    }
    in->spec.layers = vgg_arena_alloc(in->arena, places, sizeof *in->spec.layers);
    if (in->spec.layers == NULL) {
        return vgg_fail_memory(in->err, in->path, places * sizeof *in->spec.layers, "the layers");
    }
    for (size_t i = 0; i < count && status == VGG_OK; i++) {
        const struct found *next = i + 1 < count ? &convs[i + 1] : NULL;
        struct vgg_layer *layer = &in->spec.layers[in->spec.layer_count++];
        status = infer_conv(in, convs[i].weight, layer);
        layer->bias = bias;
        layer->batch_norm = batch_norm;
        points += layer->kernel == 1;
        if (status == VGG_OK) {
            status = in->cfg != NULL ? take_entries(in, &entry, &convs[i], next, modules)
                                     : fill_gap(in, &convs[i], next, modules, batch_norm);
        }
    }
    if (points > 0) {
        assume(in, "no padding round 1x1 convolutions");
    }
    return status;
}

/* Whose classifier it may be, for those who mixed two nets up. */
static void guess_owner(int features, int channels, char *out, size_t bytes)
{
    out[0] = '\0';
    if (features % 49 == 0 && features / 49 != channels) {
        snprintf(out, bytes, ", which is %d x 7x7: made for features that end in %d channels",
                 features / 49, features / 49);
    }
}

/* Side of the average pool: what turns the last convolution's channels into in_features. */
static vgg_status infer_avgpool(struct inference *in, const struct vgg_tensor *conv,
                                const struct vgg_tensor *linear)
{
    int channels = 0, features = 0, side = 1;
    vgg_status status;
    if ((status = read_width(in->path, conv, 0, &channels, in->err)) != VGG_OK ||
        (status = read_width(in->path, linear, 1, &features, in->err)) != VGG_OK) {
        return status;
    }
    while (side * side < features / channels) { /* the bound on features ends it at 4096 */
        side++;
    }
    if ((int64_t)side * side * channels != features) {
        char owner[96];
        guess_owner(features, channels, owner, sizeof owner);
        return vgg_fail(in->err, VGG_ERR_MISMATCH,
                        "%s: %s: expected as in_features the %d channels of %s times a square "
                        "number of pixels (%lld for 7x7), found %d%s",
                        in->path, linear->name, channels, conv->name, 49LL * channels, features,
                        owner);
    }
    in->spec.avgpool = side;
    return VGG_OK;
}

/* BatchNorm that follows no linear layer cannot be folded into one. */
static vgg_status check_norms(const struct inference *in, const struct found *linears, size_t count)
{
    struct found *norms;
    size_t norm_count, next = 0;
    vgg_status status =
        find_weights(in->tensors, in->classifier, 1, in->arena, &norms, &norm_count, in->err);
    for (size_t i = 0; i < norm_count && status == VGG_OK; i++) {
        while (next < count && linears[next].index < norms[i].index) {
            next++;
        }
        if (next == 0 || linears[next - 1].index + 1 != norms[i].index) {
            char place[96] = "the first one";
            if (next > 0) {
                snprintf(place, sizeof place, "ReLU or Dropout, %d places after %.40s.%d",
                         norms[i].index - linears[next - 1].index, in->classifier,
                         linears[next - 1].index);
            }
            /* Not UNSUPPORTED: of that a list is made of what a published net has more and less. */
            status = vgg_fail(
                in->err, VGG_ERR_FORMAT,
                "%s: %s: expected BatchNorm1d directly after a linear layer, found it %s %s",
                in->path, norms[i].weight->name, next > 0 ? "after" : "before", place);
        }
    }
    return status;
}

static vgg_status infer_classifier(struct inference *in, const struct vgg_tensor *last_conv)
{
    const char *name = in->classifier;
    struct found *linears;
    size_t count;
    vgg_status status = find_weights(in->tensors, name, 2, in->arena, &linears, &count, in->err);
    if (status != VGG_OK) {
        return status;
    }
    const struct vgg_tensor *single = vgg_tensor_list_findf(in->tensors, "%s.weight", name);
    struct found only = {.index = -1, .weight = single};
    if (count == 0 && single != NULL && single->ndim == 2) {
        linears = &only;
        count = 1;
    }
    struct vgg_spec *spec = &in->spec;
    spec->head = vgg_arena_alloc(in->arena, count, sizeof *spec->head);
    if (spec->head == NULL) {
        return vgg_fail_memory(in->err, in->path, count * sizeof *spec->head, "the layers");
    }
    spec->head_count = count;
    if ((status = check_norms(in, linears, count)) != VGG_OK) {
        return status;
    }
    bool bias = any_bias(in->tensors, name, linears, count);
    for (size_t i = 0; i < count; i++) {
        struct vgg_head *head = &spec->head[i];
        status = read_width(in->path, linears[i].weight, 0, &head->features, in->err);
        if (status != VGG_OK) {
            return status;
        }
        head->index = linears[i].index;
        head->batch_norm = head->index >= 0 && has_batch_norm(in->tensors, name, head->index);
        /* Before a BatchNorm a bias does nothing, and those who know that leave it out of these layers alone. */
        head->bias = head->batch_norm ? has_bias(in->tensors, name, head->index) : bias;
    }
    return infer_avgpool(in, last_conv, linears[0].weight);
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

vgg_status vgg_spec_infer_as(const char *path, const struct vgg_tensor_list *tensors,
                             const struct vgg_cfg *cfg, const struct vgg_limits *limits,
                             struct vgg_arena *arena, struct vgg_spec *out, struct vgg_error *err)
{
    struct found *convs;
    size_t count;
    struct inference in = {
        .path = path, .tensors = tensors, .cfg = cfg, .arena = arena, .err = err};
    vgg_status status = vgg_names_find(path, tensors, arena, &in.spec, err);
    if (status != VGG_OK) {
        return status;
    }
    in.features = vgg_spec_get_features(&in.spec);
    in.classifier = vgg_spec_get_classifier(&in.spec);
    status = find_weights(tensors, in.features, 4, arena, &convs, &count, err);
    if (status != VGG_OK) {
        return status;
    }
    if (count == 0 || !vgg_names_has(tensors, in.classifier, 2) ||
        is_nested(tensors, in.classifier)) {
        return infer_chain(path, tensors, cfg, limits, arena, out, err);
    }
    if (count > limits->layers) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: the net has %zu convolutions, limit is %u layers",
                        path, count, limits->layers);
    }
    if ((status = infer_features(&in, convs, count, limits)) != VGG_OK ||
        (status = infer_classifier(&in, convs[count - 1].weight)) != VGG_OK) {
        return status;
    }
    if (in.assumed[0] != '\0') {
        in.spec.assumed = vgg_arena_copy_string(arena, in.assumed, strlen(in.assumed));
        if (in.spec.assumed == NULL) {
            return vgg_fail_memory(err, path, sizeof in.assumed, "the layers");
        }
    }
    in.spec.input = vgg_spec_natural_input(&in.spec);
    in.spec.assumed_input = true;
    in.spec.assumed_avgpool = true;
    *out = in.spec;
    return VGG_OK;
}
