/* SPDX-License-Identifier: MIT */
/* Reads the layers of a description: `layers` as a list of modules, or the short form of torchvision's make_layers with
 * its `avgpool` and `classifier`. */
#include "model/spec/read_layers.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/fields.h"
#include "model/spec/layers.h"
#include "model/spec/module_types.h"
#include "model/spec/read_module.h"

struct reader {
    const struct vgg_load *load;
    const struct vgg_layer_keys *keys;
    struct vgg_layer_list list;
    /* The Sequential that layers are named after, "features", and the next index in it. NULL: layers keep the names
     * that the description gives them. */
    const char *sequential;
    int index;
};

/* Copies PREFIX.INDEX. */
static const char *make_name(const struct vgg_load *load, const char *prefix, int index)
{
    char name[64];
    const int length = snprintf(name, sizeof name, "%s.%d", prefix, index);
    return vgg_arena_copy_string(load->arena, name, (size_t)length);
}

/* Appends a layer, named by its place in the Sequential. NULL: vgg_layers_fail says why. */
static struct vgg_layer *add(struct reader *reader, enum vgg_layer_kind kind)
{
    const char *name = NULL;
    if (reader->sequential != NULL) {
        name = make_name(reader->load, reader->sequential, reader->index++);
        if (name == NULL) {
            return NULL;
        }
    }
    return vgg_layers_add(reader->load, &reader->list, kind, name);
}

static vgg_status fail_add(const struct reader *reader)
{
    return vgg_layers_fail(reader->load, &reader->list);
}

/* Appends a convolution with its BatchNorm2d and its ReLU. */
static vgg_status add_conv(struct reader *reader, const struct vgg_conv_layer *conv,
                           bool batch_norm)
{
    struct vgg_layer *layer = add(reader, VGG_LAYER_CONV);
    if (layer == NULL) {
        return fail_add(reader);
    }
    layer->conv = *conv;
    if (batch_norm) {
        layer = add(reader, VGG_LAYER_BATCH_NORM);
        if (layer == NULL) {
            return fail_add(reader);
        }
        layer->norm = (struct vgg_norm_layer){.eps = VGG_DEFAULT_EPS, .affine = true};
    }
    return add(reader, VGG_LAYER_ACTIVATION) != NULL ? VGG_OK : fail_add(reader);
}

/* Reads {"conv": channels, …}. */
static vgg_status read_conv(struct reader *reader, const char *key, const struct vgg_json *item)
{
    int channels = 0, kernel = 3, stride = 1, padding = -1;
    bool bias = true, batch_norm = reader->keys->batch_norm;
    const struct vgg_field fields[] = {
        {"conv", VGG_FIELD_INT, &channels, true, {1, VGG_MAX_CHANNELS}},
        {"kernel", VGG_FIELD_INT, &kernel, false, {1, VGG_MAX_SIDE}},
        {"stride", VGG_FIELD_INT, &stride, false, {1, VGG_MAX_SIDE}},
        {"padding", VGG_FIELD_INT, &padding, false, {0, VGG_MAX_SIDE}},
        {"bias", VGG_FIELD_BOOL, &bias, false, {0, 0}},
        {"batch_norm", VGG_FIELD_BOOL, &batch_norm, false, {0, 0}},
    };
    vgg_status status = VGG_READ_OBJECT(reader->load, key, item, fields);
    const struct vgg_conv_layer conv = {
        .out_channels = channels,
        .groups = 1,
        .window = vgg_window_square(kernel, stride, padding >= 0 ? padding : kernel / 2),
        .bias = bias,
    };
    return status ? status : add_conv(reader, &conv, batch_norm);
}

/* Reads {"max_pool": side, …}. */
static vgg_status read_max_pool(struct reader *reader, const char *key, const struct vgg_json *item)
{
    int kernel = 0, stride = 0;
    const struct vgg_field fields[] = {
        {"max_pool", VGG_FIELD_INT, &kernel, true, {1, VGG_MAX_SIDE}},
        {"stride", VGG_FIELD_INT, &stride, false, {1, VGG_MAX_SIDE}},
    };
    vgg_status status = VGG_READ_OBJECT(reader->load, key, item, fields);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_layer *layer = add(reader, VGG_LAYER_POOL);
    if (layer == NULL) {
        return fail_add(reader);
    }
    layer->pool.window = vgg_window_square(kernel, stride > 0 ? stride : kernel, 0);
    return VGG_OK;
}

/* Reads {"lrn": channels, …}, with PyTorch's defaults. */
static vgg_status read_lrn(struct reader *reader, const char *key, const struct vgg_json *item)
{
    enum { MAX_LRN_CHANNELS = 255 };
    struct vgg_lrn lrn = {.alpha = 1e-4, .beta = 0.75, .k = 1};
    const struct vgg_field fields[] = {
        {"lrn", VGG_FIELD_INT, &lrn.size, true, {1, MAX_LRN_CHANNELS}},
        {"alpha", VGG_FIELD_NUMBER, &lrn.alpha, false, {0, 1e6}},
        {"beta", VGG_FIELD_NUMBER, &lrn.beta, false, {0, 1e3}},
        {"k", VGG_FIELD_NUMBER, &lrn.k, false, {0, 1e6}},
    };
    vgg_status status = VGG_READ_OBJECT(reader->load, key, item, fields);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_layer *layer = add(reader, VGG_LAYER_LRN);
    if (layer == NULL) {
        return fail_add(reader);
    }
    layer->lrn = lrn;
    return VGG_OK;
}

/* Reads {"type": class, …}. */
static vgg_status read_module(struct reader *reader, const char *key, const struct vgg_json *item)
{
    struct vgg_layer module = {0};
    vgg_status status = vgg_read_module(reader->load, key, item, &module);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_layer *layer = add(reader, module.kind);
    if (layer == NULL) {
        return fail_add(reader);
    }
    const char *name = module.name != NULL ? module.name : layer->name;
    *layer = module;
    layer->name = name;
    return VGG_OK;
}

/* Reads "M" or "D". */
static vgg_status read_letter(struct reader *reader, const struct vgg_json *item, bool *known)
{
    const char letter = vgg_json_text(item)[0];
    *known = (letter == 'M' || letter == 'D') && vgg_json_text(item)[1] == '\0';
    if (!*known) {
        return VGG_OK;
    }
    struct vgg_layer *layer = add(reader, letter == 'M' ? VGG_LAYER_POOL : VGG_LAYER_IDENTITY);
    if (layer == NULL) {
        return fail_add(reader);
    }
    if (letter == 'M') {
        layer->pool.window = vgg_window_square(2, 2, 0);
    }
    return VGG_OK;
}

/* Reads one entry of `layers`. */
static vgg_status read_layer(struct reader *reader, const char *key, const struct vgg_json *item)
{
    bool known = false;
    if (vgg_json_is(item, VGG_JSON_TEXT)) {
        vgg_status status = read_letter(reader, item, &known);
        if (status != VGG_OK || known) {
            return status;
        }
    } else if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        struct vgg_conv_layer conv = {
            .groups = 1, .window = vgg_window_square(3, 1, 1), .bias = true};
        vgg_status status = vgg_read_int(
            reader->load, key, item, (struct vgg_range){1, VGG_MAX_CHANNELS}, &conv.out_channels);
        return status ? status : add_conv(reader, &conv, reader->keys->batch_norm);
    } else if (vgg_json_get(item, "type") != NULL) {
        return read_module(reader, key, item);
    } else if (vgg_json_get(item, "conv") != NULL) {
        return read_conv(reader, key, item);
    } else if (vgg_json_get(item, "max_pool") != NULL) {
        return read_max_pool(reader, key, item);
    } else if (vgg_json_get(item, "lrn") != NULL) {
        return read_lrn(reader, key, item);
    }
    return vgg_read_fail_expected(reader->load, key,
                                  "channels, \"M\", \"D\", {\"type\": class, …}, {\"conv\": "
                                  "channels, …}, {\"max_pool\": side, …} or {\"lrn\": channels, …}",
                                  item);
}

static vgg_status read_layers(struct reader *reader)
{
    const struct vgg_load *load = reader->load;
    const struct vgg_json *list = reader->keys->layers;
    char key[VGG_KEY_BYTES];
    size_t count = 0, i = 0;
    /* A list of modules has up to four of them for a layer of the short form. */
    const uint32_t max = (reader->sequential != NULL ? 1 : 4) * load->limits->layers;
    vgg_status status = vgg_read_count(load, "layers", list, max, &count);
    for (const struct vgg_json *item = status == VGG_OK ? vgg_json_first(list) : NULL;
         item != NULL && status == VGG_OK; item = vgg_json_next(item), i++) {
        snprintf(key, sizeof key, "layers[%zu]", i);
        status = read_layer(reader, key, item);
    }
    return status;
}

/* ---- the classifier of the short form ---- */

struct head {
    int features, index;
    bool bias, batch_norm;
};

/* Reads one entry of `classifier`, or the whole value when it is not a list; *head has the defaults. */
static vgg_status read_head(const struct vgg_load *load, const char *key,
                            const struct vgg_json *item, struct head *head)
{
    const struct vgg_field linear[] = {
        {"linear", VGG_FIELD_INT, &head->features, true, {1, VGG_MAX_CHANNELS}},
        {"bias", VGG_FIELD_BOOL, &head->bias, false, {0, 0}},
        {"batch_norm", VGG_FIELD_BOOL, &head->batch_norm, false, {0, 0}},
        {"index", VGG_FIELD_INT, &head->index, false, {0, 999999}},
    };
    if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        return vgg_read_int(load, key, item, (struct vgg_range){1, VGG_MAX_CHANNELS},
                            &head->features);
    }
    if (!vgg_json_is(item, VGG_JSON_OBJECT)) {
        return vgg_read_fail_expected(load, key, "features or {\"linear\": features, …}", item);
    }
    return VGG_READ_OBJECT(load, key, item, linear);
}

/* Appends a linear layer and its BatchNorm1d. */
static vgg_status add_linear(struct reader *reader, const struct head *head)
{
    struct vgg_layer *layer = add(reader, VGG_LAYER_LINEAR);
    if (layer == NULL) {
        return fail_add(reader);
    }
    layer->linear = (struct vgg_linear_layer){.out_features = head->features, .bias = head->bias};
    if (!head->batch_norm) {
        return VGG_OK;
    }
    layer = add(reader, VGG_LAYER_BATCH_NORM);
    if (layer == NULL) {
        return fail_add(reader);
    }
    layer->norm = (struct vgg_norm_layer){.eps = VGG_DEFAULT_EPS, .affine = true};
    return VGG_OK;
}

/* Fills the indices up to a linear layer: ReLU, then Dropout; before the first one Dropout.
 *   i  the linear layer's number */
static vgg_status fill_indices(struct reader *reader, size_t i, int index)
{
    const int gap = index - reader->index;
    if (gap < 0 || gap > (i == 0 ? 1 : 2)) {
        return vgg_fail(reader->load->err, VGG_ERR_UNSUPPORTED,
                        "%s: classifier[%zu]: index: expected %d to %d, for %s before the linear "
                        "layer, found %d",
                        reader->load->path, i, reader->index, reader->index + (i == 0 ? 1 : 2),
                        i == 0 ? "at most Dropout" : "ReLU and at most Dropout", index);
    }
    for (int place = 0; place < gap; place++) {
        const bool relu = i > 0 && place == 0;
        if (add(reader, relu ? VGG_LAYER_ACTIVATION : VGG_LAYER_IDENTITY) == NULL) {
            return fail_add(reader);
        }
    }
    return VGG_OK;
}

/* Reads a classifier that is itself a linear layer. */
static vgg_status read_single(struct reader *reader, const struct vgg_json *item)
{
    struct head head = {.bias = true};
    vgg_status status = read_head(reader->load, "classifier", item, &head);
    reader->sequential = NULL;
    status = status ? status : add_linear(reader, &head);
    if (status == VGG_OK) {
        reader->list.items[reader->list.count - 1].name = "classifier";
    }
    return status;
}

static vgg_status read_classifier(struct reader *reader)
{
    const struct vgg_load *load = reader->load;
    const struct vgg_json *list = reader->keys->classifier;
    char key[VGG_KEY_BYTES];
    size_t count = 0, i = 0;
    if (!vgg_json_is(list, VGG_JSON_LIST)) {
        return read_single(reader, list);
    }
    vgg_status status = vgg_read_count(load, "classifier", list, load->limits->layers, &count);
    reader->sequential = "classifier";
    reader->index = 0;
    for (const struct vgg_json *item = status == VGG_OK ? vgg_json_first(list) : NULL;
         item != NULL && status == VGG_OK; item = vgg_json_next(item), i++) {
        /* Usually ReLU lies between two linear layers, and Dropout. */
        const int usual = reader->index + (i == 0 ? 0 : reader->keys->dropout ? 2 : 1);
        struct head head = {.bias = true, .index = usual};
        snprintf(key, sizeof key, "classifier[%zu]", i);
        status = read_head(load, key, item, &head);
        status = status ? status : fill_indices(reader, i, head.index);
        status = status ? status : add_linear(reader, &head);
    }
    return status;
}

/* Appends the average pool and the flattening between features and classifier. */
static vgg_status add_middle(struct reader *reader)
{
    const int side = reader->keys->avgpool;
    reader->sequential = NULL;
    struct vgg_layer *layer =
        vgg_layers_add(reader->load, &reader->list, VGG_LAYER_ADAPTIVE_POOL, "avgpool");
    if (layer == NULL) {
        return fail_add(reader);
    }
    layer->adaptive = (struct vgg_adaptive_layer){.kind = VGG_ADAPTIVE_AVG, .out = {side, side}};
    layer = vgg_layers_add(reader->load, &reader->list, VGG_LAYER_FLATTEN, "flatten");
    return layer != NULL
               ? vgg_read_order(reader->load, "flatten", reader->keys->flatten, &layer->flatten)
               : fail_add(reader);
}

/* A description without layers that have weights classifies nothing. */
static vgg_status check_weights(const struct reader *reader)
{
    const bool is_short = reader->keys->classifier != NULL;
    for (size_t i = 0; i < reader->list.count; i++) {
        const enum vgg_layer_kind kind = reader->list.items[i].kind;
        if (kind == VGG_LAYER_CONV || (kind == VGG_LAYER_LINEAR && !is_short)) {
            return VGG_OK;
        }
    }
    return vgg_read_fail_key(reader->load, "layers", "expected a convolution, found none");
}

vgg_status vgg_spec_read_layers(const struct vgg_load *load, const struct vgg_layer_keys *keys,
                                struct vgg_spec *spec)
{
    const bool is_short = keys->classifier != NULL;
    struct reader reader = {.load = load, .keys = keys, .sequential = is_short ? "features" : NULL};
    vgg_status status = read_layers(&reader);
    status = status ? status : check_weights(&reader);
    if (status == VGG_OK && !is_short && keys->flatten != NULL) {
        status = vgg_read_fail_key(load, "flatten",
                                   "expected it beside a classifier; in a list of modules, "
                                   "{\"type\": \"Flatten\", \"order\": …} has it");
    }
    if (status == VGG_OK && is_short) {
        status = add_middle(&reader);
        status = status ? status : read_classifier(&reader);
    }
    spec->layers = reader.list.items;
    spec->layer_count = reader.list.count;
    return status;
}
