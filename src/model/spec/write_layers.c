/* SPDX-License-Identifier: MIT */
/* Writes the layers of a net as the JSON list that read_layers.c reads. */
#include "model/spec/write_layers.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/spec/module_types.h"

__attribute__((format(printf, 2, 3))) static void add(struct vgg_bytes *json, const char *format,
                                                      ...)
{
    char text[160];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vgg_bytes_add(json, text, (size_t)length);
}

/* Writes one number if both are the same. */
static void add_pixels(const char *key, struct vgg_pixels size, struct vgg_bytes *json)
{
    if (size.h == size.w) {
        add(json, ",\"%s\":%d", key, size.h);
    } else {
        add(json, ",\"%s\":[%d,%d]", key, size.h, size.w);
    }
}

static void add_margins(struct vgg_margins p, struct vgg_bytes *json)
{
    if (p.top == p.left && p.top == p.bottom && p.top == p.right) {
        add(json, ",\"padding\":%d", p.top);
    } else if (p.top == p.bottom && p.left == p.right) {
        add(json, ",\"padding\":[%d,%d]", p.top, p.left);
    } else {
        add(json, ",\"padding\":[%d,%d,%d,%d]", p.left, p.right, p.top, p.bottom);
    }
}

static void add_window(const struct vgg_window *window, struct vgg_bytes *json)
{
    add_pixels("kernel_size", window->kernel, json);
    add_pixels("stride", window->stride, json);
    add_margins(window->padding, json);
    if (window->dilation.h != 1 || window->dilation.w != 1) {
        add_pixels("dilation", window->dilation, json);
    }
}

static void add_conv(const struct vgg_conv_layer *conv, struct vgg_bytes *json)
{
    add(json, ",\"out_channels\":%d", conv->out_channels);
    add_window(&conv->window, json);
    if (conv->groups != 1) {
        add(json, ",\"groups\":%d", conv->groups);
    }
    add(json, ",\"bias\":%s", conv->bias ? "true" : "false");
}

static void add_pool(const struct vgg_general_pool *pool, struct vgg_bytes *json)
{
    add_window(&pool->window, json);
    if (pool->window.ceil_mode) {
        add(json, ",\"ceil_mode\":true");
    }
    if (pool->average && !pool->count_include_pad) {
        add(json, ",\"count_include_pad\":false");
    }
}

static void add_activation(const struct vgg_activation_layer *activation, struct vgg_bytes *json)
{
    switch (activation->kind) {
    case VGG_ACTIVATION_LEAKY_RELU:
        add(json, ",\"negative_slope\":%.17g", activation->slope);
        break;
    case VGG_ACTIVATION_ELU:
        add(json, ",\"alpha\":%.17g", activation->slope);
        break;
    case VGG_ACTIVATION_PRELU:
        add(json, ",\"num_parameters\":%d", activation->slopes);
        break;
    case VGG_ACTIVATION_GELU_TANH:
        add(json, ",\"approximate\":\"tanh\"");
        break;
    default:
        break;
    }
}

static void add_settings(const struct vgg_layer *layer, struct vgg_bytes *json)
{
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        add_conv(&layer->conv, json);
        break;
    case VGG_LAYER_BATCH_NORM:
        add(json, ",\"eps\":%.17g,\"affine\":%s", layer->norm.eps,
            layer->norm.affine ? "true" : "false");
        break;
    case VGG_LAYER_ACTIVATION:
        add_activation(&layer->activation, json);
        break;
    case VGG_LAYER_LRN:
        add(json, ",\"size\":%d,\"alpha\":%.17g,\"beta\":%.17g,\"k\":%.17g", layer->lrn.size,
            layer->lrn.alpha, layer->lrn.beta, layer->lrn.k);
        break;
    case VGG_LAYER_POOL:
        add_pool(&layer->pool, json);
        break;
    case VGG_LAYER_ADAPTIVE_POOL:
        add_pixels("output_size", layer->adaptive.out, json);
        if (layer->adaptive.only_enlarges) {
            add(json, ",\"only_enlarges\":true");
        }
        break;
    case VGG_LAYER_ZERO_PAD:
        add_margins(layer->zero_pad, json);
        break;
    case VGG_LAYER_LINEAR:
        add(json, ",\"in_features\":%d,\"out_features\":%d,\"bias\":%s", layer->linear.in_features,
            layer->linear.out_features, layer->linear.bias ? "true" : "false");
        break;
    case VGG_LAYER_FLATTEN:
        add(json, "%s", layer->flatten.channels_last ? ",\"order\":\"hwc\"" : "");
        break;
    case VGG_LAYER_IDENTITY:
    case VGG_LAYER_SOFTMAX:
        break;
    }
}

void vgg_spec_write_layers(const struct vgg_spec *spec, const char *separator,
                           struct vgg_bytes *json)
{
    vgg_bytes_add(json, "[", 1);
    for (size_t i = 0; i < spec->layer_count; i++) {
        const struct vgg_layer *layer = &spec->layers[i];
        vgg_bytes_add(json, separator, i > 0 ? strlen(separator) : 0);
        add(json, "{\"type\":\"%s\"", vgg_layer_type(layer));
        if (layer->name != NULL) {
            add(json, ",\"name\":");
            vgg_bytes_add_string(json, layer->name);
        }
        add_settings(layer, json);
        add(json, "}");
    }
    vgg_bytes_add(json, "]", 1);
}
