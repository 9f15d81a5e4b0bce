/* SPDX-License-Identifier: MIT */
/* Reads the preprocessing in a description. */
#include "model/spec/read_preprocess.h"

#include <string.h>

#include "model/spec/fields.h"
#include "model/spec/spec_types.h"

vgg_status vgg_spec_read_rgb(const struct vgg_load *load, const char *key,
                             const struct vgg_json *list, double min, float out[3])
{
    const struct vgg_range range = {min, VGG_MAX_MEAN};
    double value = 0;
    if (vgg_json_is(list, VGG_JSON_NUMBER)) {
        vgg_status status = vgg_read_number(load, key, list, range, &value);
        out[0] = out[1] = out[2] = (float)value;
        return status;
    }
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_count(list) != 3) {
        return vgg_read_fail_expected(load, key, "a list of three numbers or a single one", list);
    }
    const struct vgg_json *item = vgg_json_first(list);
    for (int i = 0; i < 3; i++, item = vgg_json_next(item)) {
        vgg_status status = vgg_read_number(load, key, item, range, &value);
        if (status != VGG_OK) {
            return status;
        }
        out[i] = (float)value;
    }
    return VGG_OK;
}

/* Reads a side, 0 for none, or [height, width]; width is 0 for a side. Both are unchanged if the key is absent. */
static vgg_status read_size(const struct vgg_load *load, const char *key,
                            const struct vgg_json *item, int *height, int *width)
{
    const struct vgg_range side = {1, VGG_MAX_SIDE}, side_or_none = {0, VGG_MAX_SIDE};
    if (item == NULL) {
        return VGG_OK;
    }
    *width = 0;
    if (vgg_json_is(item, VGG_JSON_NUMBER)) {
        return vgg_read_int(load, key, item, side_or_none, height);
    }
    if (!vgg_json_is(item, VGG_JSON_LIST) || vgg_json_count(item) != 2) {
        return vgg_read_fail_expected(load, key, "a side in pixels or [height, width]", item);
    }
    const struct vgg_json *first = vgg_json_first(item);
    vgg_status status = vgg_read_int(load, key, first, side, height);
    return status ? status : vgg_read_int(load, key, vgg_json_next(first), side, width);
}

static vgg_status read_interpolation(const struct vgg_load *load, const char *name,
                                     struct vgg_preprocess *out)
{
    return name == NULL || vgg_interpolation_parse(name, &out->interpolation)
               ? VGG_OK
               : vgg_read_fail_key(load, "preprocess.interpolation",
                                   "expected bilinear, bicubic, nearest or lanczos");
}

/* Reads "rgb", "bgr", "gray", 1 or 3. How many planes there are follows from the net. */
static vgg_status read_channels(const struct vgg_load *load, const struct vgg_json *item,
                                struct vgg_preprocess *out)
{
    const bool is_number = vgg_json_is(item, VGG_JSON_NUMBER);
    const double count = is_number ? vgg_json_number(item) : 0;
    const char *name = vgg_json_is(item, VGG_JSON_TEXT) ? vgg_json_text(item) : "";
    out->bgr = strcmp(name, "bgr") == 0;
    out->gray = strcmp(name, "gray") == 0 || count == 1;
    const bool known = out->bgr || out->gray || strcmp(name, "rgb") == 0 || count == 3;
    return item == NULL || known
               ? VGG_OK
               : vgg_read_fail_expected(load, "preprocess.channels",
                                        "\"rgb\", \"bgr\", \"gray\", 1 or 3", item);
}

/* Crops the size that the input has, unless all images are resized to it. */
static void set_default_sizes(int height, int width, bool has_crop, struct vgg_preprocess *out)
{
    if (out->resize < 0) {
        out->resize = height < width ? height : width;
    }
    if (!has_crop && out->resize_width == 0) {
        out->crop = height;
        out->crop_width = width == height ? 0 : width;
    }
}

static vgg_status read_custom(const struct vgg_load *load, const struct vgg_json *item, int height,
                              int width, struct vgg_preprocess *out)
{
    const struct vgg_json *mean = NULL, *std = NULL, *resize = NULL, *crop = NULL, *channels = NULL;
    const char *interpolation = NULL;
    bool unscaled = false;
    const struct vgg_field fields[] = {
        {"resize", VGG_FIELD_ANY, &resize, false, {0, 0}},
        {"crop", VGG_FIELD_ANY, &crop, false, {0, 0}},
        {"interpolation", VGG_FIELD_TEXT, &interpolation, false, {0, 0}},
        {"channels", VGG_FIELD_ANY, &channels, false, {0, 0}},
        {"mean", VGG_FIELD_ANY, &mean, true, {0, 0}},
        {"std", VGG_FIELD_ANY, &std, true, {0, 0}},
        {"unscaled", VGG_FIELD_BOOL, &unscaled, false, {0, 0}},
    };
    *out = (struct vgg_preprocess){.name = "custom", .resize = -1};
    vgg_status status = VGG_READ_OBJECT(load, "preprocess", item, fields);
    status = status
                 ? status
                 : read_size(load, "preprocess.resize", resize, &out->resize, &out->resize_width);
    status =
        status ? status : read_size(load, "preprocess.crop", crop, &out->crop, &out->crop_width);
    status = status ? status : read_interpolation(load, interpolation, out);
    status = status ? status : read_channels(load, channels, out);
    status = status ? status
                    : vgg_spec_read_rgb(load, "preprocess.mean", mean, -VGG_MAX_MEAN, out->mean);
    status =
        status ? status : vgg_spec_read_rgb(load, "preprocess.std", std, VGG_MIN_STD, out->std);
    out->unscaled = unscaled;
    set_default_sizes(height, width, crop != NULL, out);
    return status;
}

/* Compares the size after the crop with the input's. Without a crop images are as large as they are, unless they are
 * resized to height and width. */
static vgg_status check_size(const struct vgg_load *load, int height, int width,
                             const struct vgg_preprocess *preprocess)
{
    const bool crops = preprocess->crop > 0;
    const int h = crops ? preprocess->crop : preprocess->resize;
    const int given = crops ? preprocess->crop_width : preprocess->resize_width;
    const int w = given > 0 ? given : h;
    if ((!crops && preprocess->resize_width == 0) || (h == height && w == width)) {
        return VGG_OK;
    }
    return vgg_fail(load->err, VGG_ERR_FORMAT,
                    "%s: preprocess: expected a %s of %dx%d, the net's input, found %dx%d",
                    load->path, crops ? "crop" : "resize", height, width, h, w);
}

vgg_status vgg_spec_read_preprocess(const struct vgg_load *load, const struct vgg_json *item,
                                    int height, int width, struct vgg_preprocess *out)
{
    vgg_status status = VGG_OK;
    struct vgg_error reason = {0};
    if (vgg_json_is(item, VGG_JSON_OBJECT)) {
        status = read_custom(load, item, height, width, out);
    } else if (!vgg_json_is(item, VGG_JSON_TEXT)) {
        return vgg_read_fail_expected(load, "preprocess", "a preset's name or an object", item);
    } else if (vgg_preprocess_find(vgg_json_text(item), out, &reason) != VGG_OK) {
        return vgg_read_fail_key(load, "preprocess", reason.message);
    }
    return status ? status : check_size(load, height, width, out);
}
