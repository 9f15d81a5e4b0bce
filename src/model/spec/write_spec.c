/* SPDX-License-Identifier: MIT */
/* Writes the description of a net as JSON, in the format of models/README.md. */
#include "model/spec/write_spec.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/spec/write_preprocess.h"

__attribute__((format(printf, 2, 3))) static void add(struct vgg_bytes *json, const char *format,
                                                      ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vgg_bytes_add(json, text, (size_t)length);
}

static const char *bool_text(bool value)
{
    return value ? "true" : "false";
}

static void add_layer(const struct vgg_layer *layer, struct vgg_bytes *json)
{
    switch (layer->kind) {
    case VGG_LAYER_CONV:
        add(json,
            "{\"conv\":%d,\"kernel\":%d,\"stride\":%d,\"padding\":%d,\"bias\":%s,\"batch_norm\":%"
            "s}",
            layer->channels, layer->kernel, layer->stride, layer->padding, bool_text(layer->bias),
            bool_text(layer->batch_norm));
        break;
    case VGG_LAYER_MAX_POOL:
        add(json, "{\"max_pool\":%d,\"stride\":%d}", layer->kernel, layer->stride);
        break;
    case VGG_LAYER_LRN:
        add(json, "{\"lrn\":%d,\"alpha\":%.17g,\"beta\":%.17g,\"k\":%.17g}", layer->kernel,
            layer->alpha, layer->beta, layer->k);
        break;
    case VGG_LAYER_DROPOUT:
        add(json, "\"D\"");
        break;
    }
}

static void add_classifier(const struct vgg_spec *spec, struct vgg_bytes *json)
{
    const struct vgg_head *head = spec->head;
    if (head[0].index < 0) {
        add(json, "{\"linear\":%d,\"bias\":%s}", head[0].features, bool_text(head[0].bias));
        return;
    }
    for (size_t i = 0; i < spec->head_count; i++) {
        /* batch_norm is written only where it is true: packed files never have it, and older versions refuse the
         * key. */
        add(json, "%s{\"linear\":%d,\"bias\":%s,\"index\":%d%s}", i == 0 ? "[" : ",",
            head[i].features, bool_text(head[i].bias), head[i].index,
            head[i].batch_norm ? ",\"batch_norm\":true" : "");
    }
    add(json, "]");
}

/* Writes numbers with nine digits, which are enough for every float32. */
static void add_numbers(const char *key, const float *numbers, size_t count, struct vgg_bytes *json)
{
    add(json, "\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        add(json, "%s%.9g", i == 0 ? "" : ",", (double)numbers[i]);
    }
    add(json, "]");
}

void vgg_spec_write(const struct vgg_spec *spec, struct vgg_bytes *json)
{
    add(json, "{\"schema\":%d", VGG_SPEC_SCHEMA);
    if (spec->name != NULL) {
        add(json, ",\"name\":");
        vgg_bytes_add_string(json, spec->name);
    }
    add(json, ",\"input\":%d,\"layers\":[", spec->input);
    for (size_t i = 0; i < spec->layer_count; i++) {
        add(json, "%s", i > 0 ? "," : "");
        add_layer(&spec->layers[i], json);
    }
    add(json, "],\"avgpool\":%d,\"classifier\":", spec->avgpool);
    add_classifier(spec, json);
    add(json, ",\"preprocess\":");
    vgg_spec_write_preprocess(&spec->preprocess, json);
    for (size_t i = 0; i < spec->labels.count; i++) {
        add(json, "%s", i == 0 ? ",\"labels\":[" : ",");
        vgg_bytes_add_string(json, spec->labels.names[i]);
    }
    add(json, "%s", spec->labels.count > 0 ? "]" : "");
    if (spec->int8) {
        add(json, ",\"int8\":{");
        add_numbers("low", spec->grid.low, 3, json);
        add(json, ",");
        add_numbers("step", spec->grid.step, 3, json);
        add(json, ",");
        add_numbers("scales", spec->scales, vgg_spec_count_scales(spec), json);
        add(json, "}");
    }
    add(json, "}\n");
}
