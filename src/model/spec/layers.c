/* SPDX-License-Identifier: MIT */
/* A list of layers that grows, and what follows from one: sizes, names, number of classes. */
#include "model/spec/layers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "model/spec/window.h"

/* A convolution has up to three modules more: BatchNorm, an activation and a pool or Dropout. */
static size_t get_max(const struct vgg_load *load)
{
    return 4 * (size_t)load->limits->layers;
}

struct vgg_layer *vgg_layers_add(const struct vgg_load *load, struct vgg_layer_list *list,
                                 enum vgg_layer_kind kind, const char *name)
{
    if (list->count == list->max) {
        const size_t max = list->max > 0 ? 2 * list->max : 32;
        struct vgg_layer *items =
            list->count < get_max(load) ? vgg_load_alloc(load, max, sizeof *items) : NULL;
        if (items == NULL) {
            return NULL;
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->max = max;
    }
    struct vgg_layer *layer = &list->items[list->count++];
    *layer = (struct vgg_layer){.kind = kind, .name = name};
    return layer;
}

vgg_status vgg_layers_fail(const struct vgg_load *load, const struct vgg_layer_list *list)
{
    return list->count >= get_max(load)
               ? vgg_fail(load->err, VGG_ERR_LIMIT,
                          "%s: the net has more than %zu layers, limit is %u", load->path,
                          list->count, load->limits->layers)
               : vgg_load_fail_memory(load, 2 * list->max * sizeof *list->items, "the layers");
}

/* ---- shapes ---- */

static bool flatten(struct vgg_shape *shape)
{
    int features;
    if (shape->h == 0 || shape->w == 0 || __builtin_mul_overflow(shape->c, shape->h, &features) ||
        __builtin_mul_overflow(features, shape->w, &features)) {
        return false;
    }
    *shape = (struct vgg_shape){.c = features, .h = 1, .w = 1};
    return true;
}

static bool move_window(const struct vgg_window *window, struct vgg_shape *shape)
{
    return shape->h == 0 || shape->w == 0 || vgg_window_move(window, shape);
}

static bool pad(const struct vgg_margins *margins, struct vgg_shape *shape)
{
    const int64_t h = (int64_t)shape->h + margins->top + margins->bottom;
    const int64_t w = (int64_t)shape->w + margins->left + margins->right;
    if (shape->h == 0 || shape->w == 0) {
        return true;
    }
    if (h < 1 || w < 1 || h > INT_MAX || w > INT_MAX) {
        return false;
    }
    shape->h = (int)h;
    shape->w = (int)w;
    return true;
}

static void adapt(const struct vgg_adaptive_layer *adaptive, struct vgg_shape *shape)
{
    shape->h = adaptive->out.h > 0 ? adaptive->out.h : shape->h;
    shape->w = adaptive->out.w > 0 ? adaptive->out.w : shape->w;
    if (adaptive->kind == VGG_ADAPTIVE_CONCAT && shape->c <= INT_MAX / 2) {
        shape->c *= 2;
    }
}

bool vgg_layer_move(const struct vgg_layer *layer, struct vgg_shape *shape)
{
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        if (shape->c != layer->conv.in_channels) {
            return false;
        }
        shape->c = layer->conv.out_channels;
        return move_window(&layer->conv.window, shape);
    case VGG_LAYER_BATCH_NORM:
        return shape->c == layer->norm.channels;
    case VGG_LAYER_POOL:
        return move_window(&layer->pool.window, shape);
    case VGG_LAYER_ADAPTIVE_POOL:
        adapt(&layer->adaptive, shape);
        return true;
    case VGG_LAYER_ZERO_PAD:
        return pad(&layer->zero_pad, shape);
    case VGG_LAYER_FLATTEN:
        return flatten(shape);
    case VGG_LAYER_LINEAR:
        if (shape->c != layer->linear.in_features || shape->h > 1 || shape->w > 1) {
            return false;
        }
        *shape = (struct vgg_shape){.c = layer->linear.out_features, .h = 1, .w = 1};
        return true;
    case VGG_LAYER_ACTIVATION:
        return layer->activation.kind != VGG_ACTIVATION_PRELU || layer->activation.slopes <= 1 ||
               layer->activation.slopes == shape->c;
    case VGG_LAYER_LRN:
    case VGG_LAYER_IDENTITY:
    case VGG_LAYER_SOFTMAX:
        break;
    }
    return true;
}

/* Fills in what a layer takes from the one before it. */
static void connect(struct vgg_layer *layer, const struct vgg_shape *shape)
{
    if (layer->kind == VGG_LAYER_CONV && layer->conv.in_channels == 0) {
        layer->conv.in_channels = shape->c;
    } else if (layer->kind == VGG_LAYER_BATCH_NORM && layer->norm.channels == 0) {
        layer->norm.channels = shape->c;
    } else if (layer->kind == VGG_LAYER_LINEAR && layer->linear.in_features == 0) {
        layer->linear.in_features = shape->c;
    } else if (layer->kind == VGG_LAYER_FLATTEN) {
        layer->flatten.channels = shape->c;
    }
}

/* Flatten of an image whose size nobody said: the linear layer after it says how many features there are. */
static bool flatten_unknown(const struct vgg_spec *spec, size_t at, struct vgg_shape *shape)
{
    for (size_t i = at + 1; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_LINEAR && layer->linear.in_features > 0) {
            *shape = (struct vgg_shape){.c = layer->linear.in_features, .h = 1, .w = 1};
            return true;
        }
        if (layer->kind == VGG_LAYER_BATCH_NORM && layer->norm.channels > 0) {
            *shape = (struct vgg_shape){.c = layer->norm.channels, .h = 1, .w = 1};
            return true;
        }
        if (layer->kind != VGG_LAYER_IDENTITY && layer->kind != VGG_LAYER_ACTIVATION) {
            break;
        }
    }
    return false;
}

static vgg_status fail_connect(const struct vgg_load *load, const struct vgg_spec *spec, size_t at,
                               const struct vgg_shape *shape)
{
    const struct vgg_layer *layer = &spec->layers[at];
    char name[64] = "";
    if (layer->name != NULL) {
        snprintf(name, sizeof name, " (%.60s)", layer->name);
    }
    if (layer->kind == VGG_LAYER_FLATTEN && (shape->h == 0 || shape->w == 0)) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: layers[%zu]%s: expected an input size before Flatten, or an adaptive "
                        "pool",
                        load->path, at, name);
    }
    return vgg_fail(load->err, VGG_ERR_FORMAT,
                    "%s: layers[%zu]%s: cannot follow an output of %dx%dx%d", load->path, at, name,
                    shape->c, shape->h, shape->w);
}

/* Moves on, and takes the size of an image that is too small as unknown: a caller may ask for a larger one. */
static bool move_on(const struct vgg_layer *layer, struct vgg_shape *shape)
{
    const int channels = shape->c;
    const bool has_window = layer->kind == VGG_LAYER_CONV || layer->kind == VGG_LAYER_POOL;
    if (vgg_layer_move(layer, shape)) {
        return true;
    }
    if (!has_window || (layer->kind == VGG_LAYER_CONV && layer->conv.in_channels != channels)) {
        return false;
    }
    *shape = (struct vgg_shape){.c = channels};
    return vgg_layer_move(layer, shape);
}

vgg_status vgg_layers_connect(const struct vgg_load *load, struct vgg_spec *spec)
{
    struct vgg_shape shape = {.c = spec->channels, .h = spec->input.h, .w = spec->input.w};
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        connect(layer, &shape);
        const bool unknown = layer->kind == VGG_LAYER_FLATTEN && (shape.h == 0 || shape.w == 0);
        if (unknown ? !flatten_unknown(spec, i, &shape) : !move_on(layer, &shape)) {
            return fail_connect(load, spec, i, &shape);
        }
        if (shape.c > VGG_MAX_CHANNELS) {
            return vgg_fail(load->err, VGG_ERR_LIMIT,
                            "%s: layers[%zu]: the output would have %d channels or features, limit "
                            "is %d",
                            load->path, i, shape.c, VGG_MAX_CHANNELS);
        }
    }
    return VGG_OK;
}

/* ---- comparison ---- */

static bool same_pixels(struct vgg_pixels a, struct vgg_pixels b)
{
    return a.h == b.h && a.w == b.w;
}

static bool same_margins(struct vgg_margins a, struct vgg_margins b)
{
    return a.top == b.top && a.left == b.left && a.bottom == b.bottom && a.right == b.right;
}

static bool same_window(const struct vgg_window *a, const struct vgg_window *b)
{
    return same_pixels(a->kernel, b->kernel) && same_pixels(a->stride, b->stride) &&
           same_pixels(a->dilation, b->dilation) && same_margins(a->padding, b->padding) &&
           a->ceil_mode == b->ceil_mode;
}

static bool same_conv(const struct vgg_conv_layer *a, const struct vgg_conv_layer *b)
{
    return a->in_channels == b->in_channels && a->out_channels == b->out_channels &&
           a->groups == b->groups && a->bias == b->bias && same_window(&a->window, &b->window);
}

static bool same_pool(const struct vgg_general_pool *a, const struct vgg_general_pool *b)
{
    return a->average == b->average && same_window(&a->window, &b->window) &&
           (!a->average || a->count_include_pad == b->count_include_pad);
}

bool vgg_layer_equals(const struct vgg_layer *a, const struct vgg_layer *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case VGG_LAYER_CONV:
        return same_conv(&a->conv, &b->conv);
    case VGG_LAYER_BATCH_NORM:
        return a->norm.channels == b->norm.channels && a->norm.eps == b->norm.eps &&
               a->norm.affine == b->norm.affine;
    case VGG_LAYER_ACTIVATION:
        return a->activation.kind == b->activation.kind &&
               a->activation.slope == b->activation.slope &&
               a->activation.slopes == b->activation.slopes;
    case VGG_LAYER_LRN:
        return a->lrn.size == b->lrn.size && a->lrn.alpha == b->lrn.alpha &&
               a->lrn.beta == b->lrn.beta && a->lrn.k == b->lrn.k;
    case VGG_LAYER_POOL:
        return same_pool(&a->pool, &b->pool);
    case VGG_LAYER_ADAPTIVE_POOL:
        return a->adaptive.kind == b->adaptive.kind &&
               a->adaptive.only_enlarges == b->adaptive.only_enlarges &&
               same_pixels(a->adaptive.out, b->adaptive.out);
    case VGG_LAYER_ZERO_PAD:
        return same_margins(a->zero_pad, b->zero_pad);
    case VGG_LAYER_LINEAR:
        return a->linear.in_features == b->linear.in_features &&
               a->linear.out_features == b->linear.out_features && a->linear.bias == b->linear.bias;
    case VGG_LAYER_SOFTMAX:
        return a->softmax.log == b->softmax.log;
    case VGG_LAYER_FLATTEN:
        return a->flatten.channels_last == b->flatten.channels_last;
    case VGG_LAYER_IDENTITY:
        break;
    }
    return true;
}

int vgg_spec_find_channels(const struct vgg_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_CONV && layer->conv.in_channels > 0) {
            return layer->conv.in_channels;
        }
        if (layer->kind == VGG_LAYER_BATCH_NORM && layer->norm.channels > 0) {
            return layer->norm.channels;
        }
        if (layer->kind == VGG_LAYER_FLATTEN) {
            break;
        }
    }
    return 3;
}

/* ---- names ---- */

static const char *name_kind(const struct vgg_layer *layer)
{
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        return "conv";
    case VGG_LAYER_BATCH_NORM:
        return "bn";
    case VGG_LAYER_ACTIVATION:
        return layer->activation.kind == VGG_ACTIVATION_RELU ? "relu" : "act";
    case VGG_LAYER_LRN:
        return "lrn";
    case VGG_LAYER_POOL:
        return "pool";
    case VGG_LAYER_ADAPTIVE_POOL:
        return "avgpool";
    case VGG_LAYER_ZERO_PAD:
        return "pad";
    case VGG_LAYER_FLATTEN:
        return "flatten";
    case VGG_LAYER_LINEAR:
        return "fc";
    case VGG_LAYER_IDENTITY:
        return "dropout";
    case VGG_LAYER_SOFTMAX:
        return "softmax";
    }
    return "layer";
}

/* Whether the n-th layer of a kind has the plain name of its kind: there is usually one. */
static bool is_single(enum vgg_layer_kind kind, int n)
{
    return n == 1 && (kind == VGG_LAYER_ADAPTIVE_POOL || kind == VGG_LAYER_FLATTEN ||
                      kind == VGG_LAYER_SOFTMAX);
}

vgg_status vgg_layers_name(const struct vgg_load *load, struct vgg_spec *spec)
{
    int numbers[VGG_LAYER_SOFTMAX + 1] = {0};
    const char *before = NULL;
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        char name[96];
        const int number = ++numbers[layer->kind];
        if (layer->name == NULL) {
            if (layer->kind == VGG_LAYER_ACTIVATION && before != NULL) {
                snprintf(name, sizeof name, "%.80s.%s", before, name_kind(layer));
            } else if (is_single(layer->kind, number)) {
                snprintf(name, sizeof name, "%s", name_kind(layer));
            } else {
                snprintf(name, sizeof name, "%s%d", name_kind(layer), number);
            }
            layer->name = vgg_arena_copy_string(load->arena, name, strlen(name));
            if (layer->name == NULL) {
                return vgg_load_fail_memory(load, sizeof name, "a name");
            }
        }
        before = vgg_layer_has_weights(layer) ? layer->name : before;
    }
    return VGG_OK;
}

int vgg_spec_get_classes(const struct vgg_spec *spec)
{
    for (size_t i = spec->layer_count; i-- > 0;) {
        const struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_LINEAR) {
            return layer->linear.out_features;
        }
        if (layer->kind == VGG_LAYER_CONV) {
            return layer->conv.out_channels;
        }
    }
    return 0;
}

size_t vgg_spec_count(const struct vgg_spec *spec, enum vgg_layer_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->layer_count; i++) {
        count += spec->layers[i].kind == kind;
    }
    return count;
}
