/* From the names and shapes of a checkpoint's tensors to the description of the net. */
#include "model/infer.h"

#include <stdlib.h>
#include <string.h>

/* A weight and its place in `features` or `classifier`. */
struct found {
    int index; /* -1: the tensor is `classifier.weight` itself */
    const struct vgg_tensor *weight;
};

/* Whether name is PREFIX.N.weight, with N as Python prints it. */
static bool parse_weight_name(const char *name, const char *prefix, int *index)
{
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0 || name[length] != '.') {
        return false;
    }
    const char *digits = name + length + 1;
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > 6 || (digits[0] == '0' && count > 1) ||
        strcmp(digits + count, ".weight") != 0) {
        return false;
    }
    *index = atoi(digits);
    return true;
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
        if (tensor->ndim == ndim && parse_weight_name(tensor->name, prefix, &index)) {
            found[(*count)++] = (struct found){.index = index, .weight = tensor};
        }
    }
    qsort(found, *count, sizeof *found, compare_found);
    *out = found;
    return VGG_OK;
}

static vgg_status fail_no_vgg(const char *path, const struct vgg_tensor_list *tensors,
                              struct vgg_error *err)
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
                    "convolution; %s%s%s",
                    path, tensors->count > 0 ? "first tensors: " : "it has no tensors",
                    first.buffer, tensors->count > 5 ? ", …" : "");
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

static bool has_batch_norm(const struct vgg_tensor_list *tensors, int conv_index)
{
    int index = conv_index + 1;
    const struct vgg_tensor *weight = vgg_tensor_list_findf(tensors, "features.%d.weight", index);
    return (weight != NULL && weight->ndim == 1) ||
           vgg_tensor_list_findf(tensors, "features.%d.running_mean", index) != NULL ||
           vgg_tensor_list_findf(tensors, "features.%d.running_var", index) != NULL;
}

/* Whether any layer of a part has it. One is enough: when others lack theirs, those tensors are
 * missing, and binding will say so. */
static bool any_bias(const struct vgg_tensor_list *tensors, const char *prefix,
                     const struct found *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (found[i].index < 0
                ? vgg_tensor_list_findf(tensors, "%s.bias", prefix) != NULL
                : vgg_tensor_list_findf(tensors, "%s.%d.bias", prefix, found[i].index) != NULL) {
            return true;
        }
    }
    return false;
}

static bool any_batch_norm(const struct vgg_tensor_list *tensors, const struct found *found,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_batch_norm(tensors, found[i].index)) {
            return true;
        }
    }
    return false;
}

static vgg_status infer_conv(const char *path, const struct vgg_tensor *weight,
                             struct vgg_layer *layer, struct vgg_error *err)
{
    int64_t kernel = weight->shape[2];
    /* Larger ones are other nets' (AlexNet's first is 11x11), whose strides names cannot tell. */
    if (kernel != weight->shape[3] || (kernel != 3 && kernel != 1)) {
        char shape[VGG_SHAPE_TEXT_BYTES];
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected a convolution of 3x3 or 1x1, as a VGG has, found %s",
                        path, weight->name, vgg_shape_text(weight->shape, weight->ndim, shape));
    }
    layer->kind = VGG_LAYER_CONV;
    layer->kernel = (int)kernel;
    layer->stride = 1;
    layer->padding = (int)kernel / 2;
    return read_width(path, weight, 0, &layer->channels, err);
}

static vgg_status infer_features(const char *path, const struct vgg_tensor_list *tensors,
                                 const struct found *convs, size_t count, struct vgg_arena *arena,
                                 struct vgg_spec *out, struct vgg_error *err)
{
    bool bias = any_bias(tensors, "features", convs, count);
    bool batch_norm = any_batch_norm(tensors, convs, count);
    int modules = batch_norm ? 3 : 2; /* of a convolution: with its BatchNorm2d and ReLU */
    struct vgg_layer *layers = vgg_arena_alloc(arena, 2 * count, sizeof *layers);
    if (layers == NULL) {
        return vgg_fail_memory(err, path, 2 * count * sizeof *layers, "the layers");
    }
    size_t used = 0;
    if (convs[0].index != 0) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: expected the first convolution at features.0, found it at features.%d",
                        path, convs[0].index);
    }
    for (size_t i = 0; i < count; i++) {
        struct vgg_layer *layer = &layers[used++];
        vgg_status status = infer_conv(path, convs[i].weight, layer, err);
        if (status != VGG_OK) {
            return status;
        }
        layer->bias = bias;
        layer->batch_norm = batch_norm;
        int pools = i + 1 < count ? convs[i + 1].index - convs[i].index - modules : 1;
        if (pools < 0 || pools > 1) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: expected %s%s and at most one pool between the convolutions "
                            "features.%d and features.%d, found room for %d modules",
                            path, batch_norm ? "BatchNorm2d, " : "", "ReLU", convs[i].index,
                            convs[i + 1].index, convs[i + 1].index - convs[i].index - 1);
        }
        if (pools == 1) {
            layers[used++] =
                (struct vgg_layer){.kind = VGG_LAYER_MAX_POOL, .kernel = 2, .stride = 2};
        }
    }
    out->layers = layers;
    out->layer_count = used;
    return VGG_OK;
}

/* Side of the average pool: what turns the last convolution's channels into in_features. */
static vgg_status infer_avgpool(const char *path, const struct vgg_tensor *conv,
                                const struct vgg_tensor *linear, int *out, struct vgg_error *err)
{
    int channels = 0, features = 0, side = 1;
    vgg_status status;
    if ((status = read_width(path, conv, 0, &channels, err)) != VGG_OK ||
        (status = read_width(path, linear, 1, &features, err)) != VGG_OK) {
        return status;
    }
    while (side * side < features / channels) { /* the bound on features ends it at 4096 */
        side++;
    }
    if ((int64_t)side * side * channels != features) {
        return vgg_fail(err, VGG_ERR_MISMATCH,
                        "%s: %s: expected as in_features the %d channels of %s times a square "
                        "number of pixels, found %d",
                        path, linear->name, channels, conv->name, features);
    }
    *out = side;
    return VGG_OK;
}

static vgg_status infer_classifier(const char *path, const struct vgg_tensor_list *tensors,
                                   const struct vgg_tensor *last_conv, struct vgg_arena *arena,
                                   struct vgg_spec *out, struct vgg_error *err)
{
    struct found *linears;
    size_t count;
    vgg_status status = find_weights(tensors, "classifier", 2, arena, &linears, &count, err);
    if (status != VGG_OK) {
        return status;
    }
    const struct vgg_tensor *single = vgg_tensor_list_find(tensors, "classifier.weight");
    struct found only = {.index = -1, .weight = single};
    if (count == 0 && single != NULL && single->ndim == 2) {
        linears = &only;
        count = 1;
    }
    if (count == 0) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: expected a classifier (classifier.N.weight with two dimensions), "
                        "found none: these are convolutions alone",
                        path);
    }
    out->head = vgg_arena_alloc(arena, count, sizeof *out->head);
    if (out->head == NULL) {
        return vgg_fail_memory(err, path, count * sizeof *out->head, "the layers");
    }
    out->head_count = count;
    bool bias = any_bias(tensors, "classifier", linears, count);
    for (size_t i = 0; i < count; i++) {
        struct vgg_head *head = &out->head[i];
        status = read_width(path, linears[i].weight, 0, &head->features, err);
        if (status != VGG_OK) {
            return status;
        }
        head->bias = bias;
        head->index = linears[i].index;
    }
    return infer_avgpool(path, last_conv, linears[0].weight, &out->avgpool, err);
}

vgg_status vgg_spec_infer(const char *path, const struct vgg_tensor_list *tensors,
                          const struct vgg_limits *limits, struct vgg_arena *arena,
                          struct vgg_spec *out, struct vgg_error *err)
{
    struct found *convs;
    size_t count;
    struct vgg_spec spec = {0};
    vgg_status status = find_weights(tensors, "features", 4, arena, &convs, &count, err);
    if (status != VGG_OK) {
        return status;
    }
    if (count == 0) {
        return fail_no_vgg(path, tensors, err);
    }
    if (count > limits->layers) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: the net has %zu convolutions, limit is %u layers",
                        path, count, limits->layers);
    }
    const struct vgg_tensor *last = convs[count - 1].weight;
    if ((status = infer_features(path, tensors, convs, count, arena, &spec, err)) != VGG_OK ||
        (status = infer_classifier(path, tensors, last, arena, &spec, err)) != VGG_OK) {
        return status;
    }
    spec.input = vgg_spec_natural_input(&spec);
    *out = spec;
    return VGG_OK;
}
