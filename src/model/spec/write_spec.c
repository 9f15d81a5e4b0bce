/* SPDX-License-Identifier: MIT */
/* Writes the description of a net as JSON, in the format of models/README.md. */
#include "model/spec/write_spec.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/spec/write_assumed.h"
#include "model/spec/write_layers.h"
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

/* Writes numbers with nine digits, which are enough for every float32. */
static void add_numbers(const char *key, const float *numbers, size_t count, struct vgg_bytes *json)
{
    add(json, "\"%s\":[", key);
    for (size_t i = 0; i < count; i++) {
        add(json, "%s%.9g", i == 0 ? "" : ",", (double)numbers[i]);
    }
    add(json, "]");
}

static void add_texts(const char *key, const char *const *texts, size_t count, const char *line,
                      struct vgg_bytes *json)
{
    if (count == 0) {
        return;
    }
    add(json, ",%s\"%s\":[", line, key);
    for (size_t i = 0; i < count; i++) {
        add(json, "%s", i == 0 ? "" : ",");
        vgg_bytes_add_string(json, texts[i]);
    }
    add(json, "]");
}

static void add_int8(const struct vgg_spec *spec, const char *line, struct vgg_bytes *json)
{
    add(json, ",%s\"int8\":{", line);
    add_numbers("low", spec->grid.low, 3, json);
    add(json, ",");
    add_numbers("step", spec->grid.step, 3, json);
    add(json, ",");
    add_numbers("scales", spec->scales, vgg_spec_count_scales(spec), json);
    add(json, "}");
}

void vgg_spec_write(const struct vgg_spec *spec, enum vgg_spec_form form, struct vgg_bytes *json)
{
    const bool lines = form == VGG_SPEC_LINES;
    const char *line = lines ? "\n  " : "";
    add(json, "{%s\"schema\":%d", line, VGG_SPEC_SCHEMA);
    if (spec->name != NULL) {
        add(json, ",%s\"name\":", line);
        vgg_bytes_add_string(json, spec->name);
    }
    add(json, ",%s\"input\":[%d,%d,%d],%s\"layers\":", line, spec->channels, spec->input.h,
        spec->input.w, line);
    vgg_spec_write_layers(spec, lines ? ",\n    " : ",", json);
    add(json, ",%s\"preprocess\":", line);
    vgg_spec_write_preprocess(&spec->preprocess, json);
    add_texts("labels", spec->labels.names, spec->labels.count, line, json);
    add_texts("unused", spec->unused, spec->unused_count, line, json);
    if (spec->int8) {
        add_int8(spec, line, json);
    }
    if (!lines) {
        vgg_spec_write_assumed(spec, json);
    }
    add(json, "%s}\n", lines ? "\n" : "");
}
