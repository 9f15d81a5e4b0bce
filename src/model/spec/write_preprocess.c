/* SPDX-License-Identifier: MIT */
/* Writes the preprocessing in a description. */
#include "model/spec/write_preprocess.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void add(struct vgg_bytes *json, const char *format,
                                                      ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vgg_bytes_add(json, text, (size_t)length);
}

/* A side, or [height, width]. */
static void add_size(const char *key, int height, int width, struct vgg_bytes *json)
{
    if (width > 0) {
        add(json, "\"%s\":[%d,%d],", key, height, width);
    } else {
        add(json, "\"%s\":%d,", key, height);
    }
}

/* Nine digits are enough for every float32.
 *   reversed  begin with the last one */
static void add_rgb(const char *key, const float values[3], bool reversed, struct vgg_bytes *json)
{
    add(json, "\"%s\":[%.9g,%.9g,%.9g]", key, (double)values[reversed ? 2 : 0], (double)values[1],
        (double)values[reversed ? 0 : 2]);
}

void vgg_spec_write_preprocess(const struct vgg_preprocess *preprocess, struct vgg_bytes *json)
{
    const bool gray = preprocess->gray || preprocess->channels == 1;
    /* Gray planes in another order are gray planes with mean and std in another order. */
    const bool reversed = gray && preprocess->bgr && preprocess->channels != 1;
    if (strcmp(preprocess->name, "custom") != 0) {
        vgg_bytes_add_string(json, preprocess->name);
        return;
    }
    add(json, "{");
    add_size("resize", preprocess->resize, preprocess->resize_width, json);
    add_size("crop", preprocess->crop, preprocess->crop_width, json);
    add_rgb("mean", preprocess->mean, reversed, json);
    add(json, ",");
    add_rgb("std", preprocess->std, reversed, json);
    /* The keys below are written only where they differ from the default: older versions refuse them. */
    if (preprocess->interpolation != VGG_INTERPOLATION_BILINEAR) {
        add(json, ",\"interpolation\":\"%s\"", vgg_interpolation_string(preprocess->interpolation));
    }
    if (gray || preprocess->bgr) {
        add(json, ",\"channels\":\"%s\"", gray ? "gray" : "bgr");
    }
    add(json, "%s", preprocess->unscaled ? ",\"unscaled\":true}" : "}");
}
