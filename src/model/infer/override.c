/* SPDX-License-Identifier: MIT */
/* Reads properties of a net that a caller gives as text. */
#include "model/infer/override.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/spec/module_types.h"
#include "model/spec/spec_types.h"

/* CLASS(ARGUMENT, …), split. */
struct call {
    char name[32];
    double arguments[4];
    int count;
};

enum { MAX_ARGUMENTS = 3 };

/* Reads "NAME" or "NAME(1, 2)"; false if the text has another form. */
static bool read_call(const char *text, struct call *out)
{
    const size_t length = strcspn(text, "(");
    *out = (struct call){0};
    if (length == 0 || length >= sizeof out->name) {
        return false;
    }
    memcpy(out->name, text, length);
    const char *p = text + length;
    if (*p == '\0') {
        return true;
    }
    do {
        char *end;
        if (out->count == MAX_ARGUMENTS) {
            return false;
        }
        out->arguments[out->count++] = strtod(++p, &end);
        if (end == p) {
            return false;
        }
        p = end + strspn(end, " ");
    } while (*p == ',');
    return strcmp(p, ")") == 0;
}

static vgg_status read_padding(const char *text, struct vgg_overrides *out, struct vgg_error *err)
{
    char *end;
    errno = 0;
    const long padding = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || padding < 0 || padding > VGG_MAX_SIDE) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "padding: expected a number from 0 to %d, got '%.60s'", VGG_MAX_SIDE, text);
    }
    out->padding = (int)padding;
    out->has_padding = true;
    return VGG_OK;
}

static vgg_status read_eps(const char *text, struct vgg_overrides *out, struct vgg_error *err)
{
    char *end;
    out->eps = strtod(text, &end);
    if (end == text || *end != '\0' || !(out->eps >= 0 && out->eps <= 1)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "eps: expected a number from 0 to 1, got '%.60s'",
                        text);
    }
    out->has_eps = true;
    return VGG_OK;
}

static vgg_status read_activation(const char *text, struct vgg_overrides *out,
                                  struct vgg_error *err)
{
    struct call call;
    enum vgg_layer_kind kind;
    out->has_activation = true;
    out->no_activation = strcmp(text, "none") == 0;
    if (out->no_activation) {
        return VGG_OK;
    }
    if (!read_call(text, &call) || !vgg_module_type_find(call.name, &kind) ||
        kind != VGG_LAYER_ACTIVATION || strcmp(call.name, "PReLU") == 0) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "activation: expected none or one of ReLU, LeakyReLU(slope), ELU(alpha), "
                        "GELU, SiLU, Tanh, Sigmoid, Hardswish, ReLU6, got '%.60s'",
                        text);
    }
    out->activation = vgg_activation_find(call.name);
    const bool has_slope = out->activation.kind == VGG_ACTIVATION_LEAKY_RELU ||
                           out->activation.kind == VGG_ACTIVATION_ELU;
    if (call.count > has_slope || !isfinite(call.arguments[0])) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "activation: %s: expected %s, got '%.60s'",
                        call.name, has_slope ? "one number in brackets" : "no number", text);
    }
    out->activation.slope = call.count > 0 ? call.arguments[0] : out->activation.slope;
    return VGG_OK;
}

static bool is_side(double value, int min)
{
    return value == floor(value) && value >= min && value <= VGG_MAX_SIDE;
}

static vgg_status read_pool(const char *text, struct vgg_overrides *out, struct vgg_error *err)
{
    struct call call;
    const bool read = read_call(text, &call);
    const double *a = call.arguments;
    const bool average = strcmp(call.name, "AvgPool2d") == 0;
    const double kernel = call.count > 0 ? a[0] : 2;
    const double stride = call.count > 1 ? a[1] : kernel, padding = call.count > 2 ? a[2] : 0;
    if (!read || (!average && strcmp(call.name, "MaxPool2d") != 0) || !is_side(kernel, 1) ||
        !is_side(stride, 1) || !is_side(padding, 0) || padding > kernel / 2) {
        return vgg_fail(
            err, VGG_ERR_ARGUMENT,
            "pool: expected MaxPool2d or AvgPool2d with kernel_size, stride and padding "
            "in brackets, such as MaxPool2d(3, 2, 1), got '%.60s'",
            text);
    }
    out->has_pool = true;
    out->pool = (struct vgg_general_pool){
        .window = vgg_window_square((int)kernel, (int)stride, (int)padding),
        .average = average,
        .count_include_pad = true,
    };
    return VGG_OK;
}

vgg_status vgg_overrides_parse(const struct vgg_override_texts *texts, struct vgg_overrides *out,
                               struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    if (texts->padding != NULL) {
        status = read_padding(texts->padding, out, err);
    }
    if (status == VGG_OK && texts->eps != NULL) {
        status = read_eps(texts->eps, out, err);
    }
    if (status == VGG_OK && texts->activation != NULL) {
        status = read_activation(texts->activation, out, err);
    }
    if (status == VGG_OK && texts->pool != NULL) {
        status = read_pool(texts->pool, out, err);
    }
    return status;
}

bool vgg_overrides_has_layers(const struct vgg_overrides *overrides)
{
    return overrides->has_padding || overrides->has_eps || overrides->has_activation ||
           overrides->has_pool;
}

/* PReLU stays: its weights show it. */
static void apply_activation(const struct vgg_overrides *overrides, struct vgg_layer *layer)
{
    if (layer->activation.kind == VGG_ACTIVATION_PRELU) {
        return;
    }
    if (overrides->no_activation) {
        layer->kind = VGG_LAYER_IDENTITY;
    } else {
        layer->activation = overrides->activation;
    }
}

void vgg_overrides_apply(const struct vgg_overrides *overrides, struct vgg_spec *spec)
{
    for (size_t i = 0; i < spec->layer_count; i++) {
        struct vgg_layer *layer = &spec->layers[i];
        if (layer->kind == VGG_LAYER_CONV && overrides->has_padding) {
            struct vgg_window *window = &layer->conv.window;
            const int h = window->kernel.h > 1 ? overrides->padding : 0;
            const int w = window->kernel.w > 1 ? overrides->padding : 0;
            window->padding = (struct vgg_margins){.top = h, .left = w, .bottom = h, .right = w};
        } else if (layer->kind == VGG_LAYER_BATCH_NORM && overrides->has_eps) {
            layer->norm.eps = overrides->eps;
        } else if (layer->kind == VGG_LAYER_ACTIVATION && overrides->has_activation) {
            apply_activation(overrides, layer);
        } else if (layer->kind == VGG_LAYER_POOL && overrides->has_pool) {
            layer->pool = overrides->pool;
        }
    }
}

/* Whether a layer has a setting that a caller can give. */
static bool has_setting(const struct vgg_layer *layer)
{
    if (layer->kind == VGG_LAYER_CONV) {
        return layer->conv.window.kernel.h > 1 || layer->conv.window.kernel.w > 1;
    }
    return layer->kind != VGG_LAYER_ACTIVATION || layer->activation.kind != VGG_ACTIVATION_PRELU;
}

vgg_status vgg_overrides_check(const struct vgg_load *load, const struct vgg_override_texts *texts,
                               const struct vgg_spec *spec)
{
    const bool no_activation = texts->activation != NULL && strcmp(texts->activation, "none") == 0;
    const struct {
        enum vgg_layer_kind kind;
        const char *text, *property, *expected;
    } given[] = {
        {VGG_LAYER_CONV, texts->padding, "padding", "convolutions larger than 1x1"},
        {VGG_LAYER_BATCH_NORM, texts->eps, "eps", "BatchNorm"},
        {VGG_LAYER_ACTIVATION, no_activation ? NULL : texts->activation, "activation",
         "activations other than PReLU"},
        {VGG_LAYER_POOL, texts->pool, "pool", "pools other than adaptive ones"},
    };
    for (size_t g = 0; g < sizeof given / sizeof given[0]; g++) {
        bool found = given[g].text == NULL;
        for (size_t i = 0; i < spec->layer_count && !found; i++) {
            found = spec->layers[i].kind == given[g].kind && has_setting(&spec->layers[i]);
        }
        if (!found) {
            return vgg_fail(load->err, VGG_ERR_ARGUMENT,
                            "%s: %s %.60s: expected a net with %s, found none: leave it out",
                            load->path, given[g].property, given[g].text, given[g].expected);
        }
    }
    return VGG_OK;
}
