/* SPDX-License-Identifier: MIT */
/* Reads one layer of a description that is written as a PyTorch module: {"type": "Conv2d", "out_channels": 64, …}. */
#include "model/spec/read_module.h"

#include <stdio.h>
#include <string.h>

#include "model/spec/fields.h"
#include "model/spec/module_types.h"

/* The largest window of local response normalisation that the kernels compute. */
enum { MAX_LRN_CHANNELS = 255 };

/* What every reader of a module gets. */
struct module {
    const struct vgg_load *load;
    const char *key;
    const struct vgg_json *item;
    struct vgg_layer *out;
    /* The value of "type", which is read already. */
    const char *type;
};

#define READ(module, fields)                                                                       \
    vgg_read_object((module)->load, (module)->key, (module)->item, fields,                         \
                    sizeof(fields) / sizeof((fields)[0]))

/* The two keys that every module has. */
#define COMMON(module)                                                                             \
    {"type", VGG_FIELD_TEXT, (void *)&(module)->type, true, {0, 0}},                               \
    {                                                                                              \
        "name", VGG_FIELD_TEXT, (void *)&(module)->out->name, false,                               \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

/* Writes KEY.LEAF. */
static void join(const struct module *module, const char *leaf, char out[VGG_KEY_BYTES])
{
    snprintf(out, VGG_KEY_BYTES, "%.60s.%s", module->key, leaf);
}

/* How many numbers a list has, and the smallest that they may be. */
struct list {
    size_t count;
    int min;
};

/* Reads whole numbers, or one for all of them; an absent key changes nothing. */
static vgg_status read_list(const struct module *module, const char *leaf,
                            const struct vgg_json *item, struct list list, int *out)
{
    const struct vgg_range range = {list.min, VGG_MAX_SIDE};
    const size_t count = list.count;
    char key[VGG_KEY_BYTES], expected[64];
    vgg_status status = VGG_OK;
    join(module, leaf, key);
    if (item == NULL) {
        return VGG_OK;
    }
    if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        status = vgg_read_int(module->load, key, item, range, &out[0]);
        for (size_t i = 1; i < count; i++) {
            out[i] = out[0];
        }
        return status;
    }
    if (!vgg_json_is(item, VGG_JSON_LIST) || vgg_json_count(item) != count) {
        snprintf(expected, sizeof expected, "a number or a list of %zu", count);
        return vgg_read_fail_expected(module->load, key, expected, item);
    }
    const struct vgg_json *entry = vgg_json_first(item);
    for (size_t i = 0; i < count && status == VGG_OK; i++, entry = vgg_json_next(entry)) {
        status = vgg_read_int(module->load, key, entry, range, &out[i]);
    }
    return status;
}

/* Reads one size for both axes, or [height, width]. */
static vgg_status read_pixels(const struct module *module, const char *leaf,
                              const struct vgg_json *item, int min, struct vgg_pixels *out)
{
    int sizes[2] = {out->h, out->w};
    vgg_status status = read_list(module, leaf, item, (struct list){2, min}, sizes);
    *out = (struct vgg_pixels){sizes[0], sizes[1]};
    return status;
}

/* Reads padding as one number, [height, width], or [left, right, top, bottom] in the order of ZeroPad2d.
 *   min  0, or below it where a negative padding crops */
static vgg_status read_margins(const struct module *module, const struct vgg_json *item, int min,
                               struct vgg_margins *out)
{
    int sizes[4] = {out->left, out->right, out->top, out->bottom};
    vgg_status status;
    if (vgg_json_is(item, VGG_JSON_LIST) && vgg_json_count(item) == 2) {
        status = read_list(module, "padding", item, (struct list){2, min}, sizes + 1);
        sizes[3] = sizes[1];
        sizes[0] = sizes[1] = sizes[2];
        sizes[2] = sizes[3];
    } else {
        status = read_list(module, "padding", item, (struct list){4, min}, sizes);
    }
    *out = (struct vgg_margins){
        .left = sizes[0], .right = sizes[1], .top = sizes[2], .bottom = sizes[3]};
    return status;
}

/* The values of a window's keys; NULL: absent. */
struct window_keys {
    const struct vgg_json *kernel, *stride, *padding, *dilation;
};

#define WINDOW(keys)                                                                               \
    {"kernel_size", VGG_FIELD_ANY, (void *)&(keys).kernel, true, {0, 0}},                          \
        {"stride", VGG_FIELD_ANY, (void *)&(keys).stride, false, {0, 0}},                          \
    {                                                                                              \
        "padding", VGG_FIELD_ANY, (void *)&(keys).padding, false,                                  \
        {                                                                                          \
            0, 0                                                                                   \
        }                                                                                          \
    }

static vgg_status read_window(const struct module *module, const struct window_keys *keys,
                              struct vgg_window *out)
{
    vgg_status status = read_pixels(module, "kernel_size", keys->kernel, 1, &out->kernel);
    if (out->stride.h == 0) {
        out->stride = out->kernel; /* a pool's default */
    }
    status = status ? status : read_pixels(module, "stride", keys->stride, 1, &out->stride);
    status = status ? status : read_pixels(module, "dilation", keys->dilation, 1, &out->dilation);
    return status ? status : read_margins(module, keys->padding, 0, &out->padding);
}

static vgg_status read_conv(struct module *module)
{
    struct vgg_conv_layer *conv = &module->out->conv;
    struct window_keys keys = {0};
    *conv =
        (struct vgg_conv_layer){.groups = 1, .bias = true, .window = vgg_window_square(0, 1, 0)};
    const struct vgg_field fields[] = {
        COMMON(module),
        {"out_channels", VGG_FIELD_INT, &conv->out_channels, true, {1, VGG_MAX_CHANNELS}},
        {"in_channels", VGG_FIELD_INT, &conv->in_channels, false, {1, VGG_MAX_CHANNELS}},
        {"groups", VGG_FIELD_INT, &conv->groups, false, {1, VGG_MAX_CHANNELS}},
        {"bias", VGG_FIELD_BOOL, &conv->bias, false, {0, 0}},
        {"dilation", VGG_FIELD_ANY, (void *)&keys.dilation, false, {0, 0}},
        WINDOW(keys),
    };
    vgg_status status = READ(module, fields);
    return status ? status : read_window(module, &keys, &conv->window);
}

static vgg_status read_pool(struct module *module)
{
    struct vgg_general_pool *pool = &module->out->pool;
    struct window_keys keys = {0};
    const bool average = strcmp(module->type, "AvgPool2d") == 0;
    *pool = (struct vgg_general_pool){
        .average = average, .count_include_pad = true, .window.dilation = {1, 1}};
    const struct vgg_field max_fields[] = {
        COMMON(module),
        WINDOW(keys),
        {"ceil_mode", VGG_FIELD_BOOL, &pool->window.ceil_mode, false, {0, 0}},
        {"dilation", VGG_FIELD_ANY, (void *)&keys.dilation, false, {0, 0}},
    };
    const struct vgg_field average_fields[] = {
        COMMON(module),
        WINDOW(keys),
        {"ceil_mode", VGG_FIELD_BOOL, &pool->window.ceil_mode, false, {0, 0}},
        {"count_include_pad", VGG_FIELD_BOOL, &pool->count_include_pad, false, {0, 0}},
    };
    vgg_status status = average ? READ(module, average_fields) : READ(module, max_fields);
    status = status ? status : read_window(module, &keys, &pool->window);
    const struct vgg_window *window = &pool->window;
    if (status == VGG_OK && (window->padding.top > window->kernel.h / 2 ||
                             window->padding.left > window->kernel.w / 2)) {
        char key[VGG_KEY_BYTES];
        join(module, "padding", key);
        return vgg_read_fail_key(module->load, key, "expected at most half of kernel_size");
    }
    return status;
}

static vgg_status read_adaptive(struct module *module)
{
    struct vgg_adaptive_layer *adaptive = &module->out->adaptive;
    const struct vgg_json *output = NULL;
    adaptive->kind = strcmp(module->type, "AdaptiveAvgPool2d") == 0   ? VGG_ADAPTIVE_AVG
                     : strcmp(module->type, "AdaptiveMaxPool2d") == 0 ? VGG_ADAPTIVE_MAX
                                                                      : VGG_ADAPTIVE_CONCAT;
    const struct vgg_field fields[] = {
        COMMON(module),
        {"output_size", VGG_FIELD_ANY, (void *)&output, true, {0, 0}},
        {"only_enlarges", VGG_FIELD_BOOL, &adaptive->only_enlarges, false, {0, 0}},
    };
    vgg_status status = READ(module, fields);
    return status ? status : read_pixels(module, "output_size", output, 0, &adaptive->out);
}

static vgg_status read_norm(struct module *module)
{
    struct vgg_norm_layer *norm = &module->out->norm;
    *norm = (struct vgg_norm_layer){.eps = VGG_DEFAULT_EPS, .affine = true};
    const struct vgg_field fields[] = {
        COMMON(module),
        {"num_features", VGG_FIELD_INT, &norm->channels, false, {1, VGG_MAX_CHANNELS}},
        {"eps", VGG_FIELD_NUMBER, &norm->eps, false, {0, 1}},
        {"affine", VGG_FIELD_BOOL, &norm->affine, false, {0, 0}},
    };
    return READ(module, fields);
}

static vgg_status read_activation(struct module *module)
{
    struct vgg_activation_layer *activation = &module->out->activation;
    const char *approximate = "none";
    *activation = vgg_activation_find(module->type);
    const struct vgg_field plain[] = {COMMON(module)};
    const struct vgg_field leaky[] = {
        COMMON(module),
        {"negative_slope", VGG_FIELD_NUMBER, &activation->slope, false, {-1e6, 1e6}}};
    const struct vgg_field elu[] = {
        COMMON(module), {"alpha", VGG_FIELD_NUMBER, &activation->slope, false, {-1e6, 1e6}}};
    const struct vgg_field prelu[] = {
        COMMON(module),
        {"num_parameters", VGG_FIELD_INT, &activation->slopes, false, {1, VGG_MAX_CHANNELS}}};
    const struct vgg_field gelu[] = {
        COMMON(module), {"approximate", VGG_FIELD_TEXT, (void *)&approximate, false, {0, 0}}};
    switch (activation->kind) {
    case VGG_ACTIVATION_LEAKY_RELU:
        return READ(module, leaky);
    case VGG_ACTIVATION_ELU:
        return READ(module, elu);
    case VGG_ACTIVATION_PRELU:
        return READ(module, prelu);
    case VGG_ACTIVATION_GELU:
        break;
    default:
        return READ(module, plain);
    }
    vgg_status status = READ(module, gelu);
    if (status == VGG_OK && strcmp(approximate, "tanh") == 0) {
        activation->kind = VGG_ACTIVATION_GELU_TANH;
    } else if (status == VGG_OK && strcmp(approximate, "none") != 0) {
        char key[VGG_KEY_BYTES];
        join(module, "approximate", key);
        return vgg_read_fail_key(module->load, key, "expected \"none\" or \"tanh\"");
    }
    return status;
}

static vgg_status read_lrn(struct module *module)
{
    struct vgg_lrn *lrn = &module->out->lrn;
    *lrn = (struct vgg_lrn){.alpha = 1e-4, .beta = 0.75, .k = 1};
    const struct vgg_field fields[] = {
        COMMON(module),
        {"size", VGG_FIELD_INT, &lrn->size, true, {1, MAX_LRN_CHANNELS}},
        {"alpha", VGG_FIELD_NUMBER, &lrn->alpha, false, {0, 1e6}},
        {"beta", VGG_FIELD_NUMBER, &lrn->beta, false, {0, 1e3}},
        {"k", VGG_FIELD_NUMBER, &lrn->k, false, {0, 1e6}},
    };
    return READ(module, fields);
}

static vgg_status read_zero_pad(struct module *module)
{
    const struct vgg_json *padding = NULL;
    const struct vgg_field fields[] = {
        COMMON(module),
        {"padding", VGG_FIELD_ANY, (void *)&padding, true, {0, 0}},
    };
    vgg_status status = READ(module, fields);
    return status ? status : read_margins(module, padding, -VGG_MAX_SIDE, &module->out->zero_pad);
}

static vgg_status read_linear(struct module *module)
{
    struct vgg_linear_layer *linear = &module->out->linear;
    *linear = (struct vgg_linear_layer){.bias = true};
    const struct vgg_field fields[] = {
        COMMON(module),
        {"out_features", VGG_FIELD_INT, &linear->out_features, true, {1, VGG_MAX_CHANNELS}},
        {"in_features", VGG_FIELD_INT, &linear->in_features, false, {1, VGG_MAX_CHANNELS}},
        {"bias", VGG_FIELD_BOOL, &linear->bias, false, {0, 0}},
    };
    return READ(module, fields);
}

vgg_status vgg_read_order(const struct vgg_load *load, const char *key, const char *text,
                          struct vgg_flatten_layer *out)
{
    out->channels_last = text != NULL && strcmp(text, "hwc") == 0;
    return text == NULL || out->channels_last || strcmp(text, "chw") == 0
               ? VGG_OK
               : vgg_read_fail_key(load, key, "expected \"chw\" or \"hwc\"");
}

static vgg_status read_flatten(struct module *module)
{
    const char *order = NULL;
    char key[VGG_KEY_BYTES];
    const struct vgg_field fields[] = {
        COMMON(module),
        {"order", VGG_FIELD_TEXT, (void *)&order, false, {0, 0}},
    };
    vgg_status status = READ(module, fields);
    join(module, "order", key);
    return status ? status : vgg_read_order(module->load, key, order, &module->out->flatten);
}

static vgg_status read_plain(struct module *module)
{
    module->out->softmax.log = strcmp(module->type, "LogSoftmax") == 0;
    const struct vgg_field fields[] = {COMMON(module)};
    return READ(module, fields);
}

vgg_status vgg_read_module(const struct vgg_load *load, const char *key,
                           const struct vgg_json *item, struct vgg_layer *out)
{
    struct module module = {.load = load, .key = key, .item = item, .out = out};
    const struct vgg_json *type = vgg_json_get(item, "type");
    char problem[160];
    module.type = vgg_json_is(type, VGG_JSON_TEXT) ? vgg_json_text(type) : "";
    if (!vgg_module_type_find(module.type, &out->kind)) {
        char where[VGG_KEY_BYTES];
        join(&module, "type", where);
        snprintf(problem, sizeof problem,
                 "expected a class of PyTorch that can be run, found %.60s", module.type);
        return vgg_read_fail_key(load, where, problem);
    }
    switch (out->kind) {
    case VGG_LAYER_CONV:
        return read_conv(&module);
    case VGG_LAYER_BATCH_NORM:
        return read_norm(&module);
    case VGG_LAYER_ACTIVATION:
        return read_activation(&module);
    case VGG_LAYER_LRN:
        return read_lrn(&module);
    case VGG_LAYER_POOL:
        return read_pool(&module);
    case VGG_LAYER_ADAPTIVE_POOL:
        return read_adaptive(&module);
    case VGG_LAYER_ZERO_PAD:
        return read_zero_pad(&module);
    case VGG_LAYER_LINEAR:
        return read_linear(&module);
    case VGG_LAYER_FLATTEN:
        return read_flatten(&module);
    case VGG_LAYER_IDENTITY:
    case VGG_LAYER_SOFTMAX:
        break;
    }
    return read_plain(&module);
}
