/* SPDX-License-Identifier: MIT */
/* Writes the description of a net as JSON, in the format of models/README.md. */
#include "model/spec/write_spec.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/spec/write_layers.h"

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

/* Writes numbers with nine digits, which are enough for every float32. */
static void add_preprocess(const struct vgg_preprocess *preprocess, struct vgg_bytes *json)
{
    if (strcmp(preprocess->name, "custom") != 0) {
        vgg_bytes_add_string(json, preprocess->name);
        return;
    }
    add(json, "{\"resize\":%d,\"crop\":%d,\"mean\":[%.9g,%.9g,%.9g],\"std\":[%.9g,%.9g,%.9g]}",
        preprocess->resize, preprocess->crop, (double)preprocess->mean[0],
        (double)preprocess->mean[1], (double)preprocess->mean[2], (double)preprocess->std[0],
        (double)preprocess->std[1], (double)preprocess->std[2]);
}

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
    add(json, ",\"input\":[%d,%d,%d],\"layers\":", spec->channels, spec->input.h, spec->input.w);
    vgg_spec_write_layers(spec, ",", json);
    add(json, ",\"preprocess\":");
    add_preprocess(&spec->preprocess, json);
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
