/* SPDX-License-Identifier: MIT */
/* Applies a caller's options to a description's preprocessing. */
#include "model/apply_preprocess.h"

#include <string.h>

#include "model/spec/read_preprocess.h"
#include "model/spec/spec_types.h"

/* What the steps share: the preprocessing that is changed, and the input's size that follows from it. */
struct sizes {
    const struct vgg_model_options *options;
    struct vgg_preprocess *preprocess;
    int height, width;
};

/* 0: as the other side. */
static int get_width(int height, int width)
{
    return width > 0 ? width : height;
}

static bool is_side(int side, int min)
{
    return side >= min && side <= VGG_MAX_SIDE;
}

static vgg_status check(const struct vgg_model_options *options, struct vgg_error *err)
{
    if (!is_side(options->height, 0) || !is_side(options->width, 0)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "input size: expected sides of 1 to %d, got %dx%d",
                        VGG_MAX_SIDE, options->height, options->width);
    }
    if (!is_side(options->resize, -1) || !is_side(options->resize_width, 0) ||
        (options->resize_width > 0 && options->resize <= 0)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "resize: expected a side of 1 to %d, or -1, got %d",
                        VGG_MAX_SIDE,
                        options->resize_width == 0 ? options->resize : options->resize_width);
    }
    if (!is_side(options->crop, -1) || !is_side(options->crop_width, 0) ||
        (options->crop_width > 0 && options->crop <= 0)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "crop: expected a side of 1 to %d, or -1, got %d",
                        VGG_MAX_SIDE,
                        options->crop_width == 0 ? options->crop : options->crop_width);
    }
    if (options->crop != 0 && (options->height > 0 || options->width > 0)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "the input's size is that of the crop: expected one of them, got both");
    }
    return VGG_OK;
}

static void set_crop(struct sizes *sizes, int height, int width)
{
    sizes->preprocess->crop = sizes->height = height;
    sizes->preprocess->crop_width = width == height ? 0 : width;
    sizes->width = width;
}

/* Without a crop the input is as large as the resized image; of one that keeps its aspect, as a square image is. */
static void set_no_crop(struct sizes *sizes)
{
    struct vgg_preprocess *preprocess = sizes->preprocess;
    preprocess->crop = preprocess->crop_width = 0;
    if (preprocess->resize > 0) {
        sizes->height = preprocess->resize;
        sizes->width = get_width(preprocess->resize, preprocess->resize_width);
    }
}

/* side * to / from, as a side in pixels. */
static int scale_side(int side, int to, int from)
{
    const int64_t scaled = (int64_t)side * to / from;
    return scaled > VGG_MAX_SIDE ? VGG_MAX_SIDE : scaled == 0 && side > 0 ? 1 : (int)scaled;
}

/* Images are resized in the description's proportion, such as torchvision's 256 for 224, so that they fill the input. */
static void apply_input(struct sizes *sizes)
{
    const struct vgg_model_options *options = sizes->options;
    struct vgg_preprocess *preprocess = sizes->preprocess;
    const int height = options->height > 0 ? options->height : options->width;
    const int width = get_width(height, options->width);
    if (height == 0) {
        return;
    }
    if (preprocess->resize_width > 0) {
        preprocess->resize = scale_side(preprocess->resize, height, sizes->height);
        preprocess->resize_width = scale_side(preprocess->resize_width, width, sizes->width);
    } else {
        const int longer = sizes->height > sizes->width ? sizes->height : sizes->width;
        preprocess->resize =
            scale_side(preprocess->resize, height > width ? height : width, longer);
    }
    set_crop(sizes, height, width);
}

/* Whether the crop keeps the whole of each square image. */
static bool crops_nothing(const struct vgg_preprocess *preprocess)
{
    return preprocess->crop == 0 || (preprocess->crop == preprocess->resize &&
                                     get_width(preprocess->crop, preprocess->crop_width) ==
                                         get_width(preprocess->resize, preprocess->resize_width));
}

/* Cuts the crop to a size, so that images are not padded. */
static void limit_crop(struct sizes *sizes, int height, int width)
{
    const struct vgg_preprocess *preprocess = sizes->preprocess;
    const int h = preprocess->crop, w = get_width(h, preprocess->crop_width);
    if (h > height || w > width) {
        set_crop(sizes, h < height ? h : height, w < width ? w : width);
    }
}

static void apply_resize(struct sizes *sizes)
{
    const struct vgg_model_options *options = sizes->options;
    struct vgg_preprocess *preprocess = sizes->preprocess;
    const bool whole = crops_nothing(preprocess);
    const bool has_size = options->height > 0 || options->width > 0 || options->crop != 0;
    if (options->resize == 0) {
        return;
    }
    preprocess->resize = options->resize > 0 ? options->resize : 0;
    preprocess->resize_width = options->resize_width;
    if (!has_size && options->resize_width > 0 && whole) {
        set_no_crop(sizes);
    } else if (!has_size && options->resize > 0) {
        limit_crop(sizes, options->resize, get_width(options->resize, options->resize_width));
    }
}

static void apply_crop(struct sizes *sizes)
{
    const struct vgg_model_options *options = sizes->options;
    const bool has_size = options->height > 0 || options->width > 0 || options->crop > 0;
    if (options->crop > 0) {
        set_crop(sizes, options->crop, get_width(options->crop, options->crop_width));
    }
    if (options->crop < 0 || (options->dense && !has_size)) {
        set_no_crop(sizes);
    }
}

/* Dense evaluation runs the net on the image as it is: one that would be squashed keeps its aspect, with the smaller of the
 * two sides as its shorter one. */
static void keep_aspect(struct vgg_preprocess *preprocess)
{
    if (preprocess->resize_width > 0 && preprocess->resize_width < preprocess->resize) {
        preprocess->resize = preprocess->resize_width;
    }
    preprocess->resize_width = 0;
}

vgg_status vgg_preprocess_apply_sizes(const struct vgg_model_options *options,
                                      struct vgg_preprocess *preprocess, int *height, int *width,
                                      struct vgg_error *err)
{
    struct sizes sizes = {options, preprocess, *height, *width};
    vgg_status status = check(options, err);
    if (status != VGG_OK) {
        return status;
    }
    if (options->dense) {
        keep_aspect(preprocess);
    }
    apply_input(&sizes);
    apply_resize(&sizes);
    apply_crop(&sizes);
    *height = sizes.height;
    *width = sizes.width;
    if (vgg_preprocess_gives_size(options) || options->dense) {
        strcpy(preprocess->name, "custom");
    }
    return VGG_OK;
}

/* Takes the colours; planes is the number of channels that the name stands for, or 0 for any. */
static bool find_channels(const char *name, struct vgg_preprocess *preprocess, int *planes)
{
    static const struct {
        const char *name;
        int planes;
        bool bgr, gray;
    } known[] = {{"rgb", 3, false, false},
                 {"bgr", 3, true, false},
                 {"gray", 0, false, true},
                 {"1", 1, false, true},
                 {"3", 3, false, false}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            preprocess->gray = known[i].gray;
            /* Gray planes keep the order of mean and std. */
            preprocess->bgr = known[i].gray ? preprocess->bgr : known[i].bgr;
            *planes = known[i].planes;
            return true;
        }
    }
    return false;
}

static vgg_status apply_channels(const char *name, int channels, struct vgg_preprocess *preprocess,
                                 struct vgg_error *err)
{
    int planes = 0;
    if (!find_channels(name, preprocess, &planes)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "channels '%.*s': expected one of rgb, bgr, gray, 1, 3",
                        VGG_SHOWN_TEXT(name, 40));
    }
    if (planes != 0 && planes != channels) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "channels '%s': expected the %d of the net's input, got %d", name, channels,
                        planes);
    }
    return VGG_OK;
}

/* Takes three numbers whose sizes are between the bounds. */
static vgg_status apply_rgb(const char *name, const float *values, double min, float out[3],
                            struct vgg_error *err)
{
    for (int i = 0; values != NULL && i < 3; i++) {
        const double value = (double)values[i];
        if (!(value >= min && value <= VGG_MAX_MEAN)) {
            return vgg_fail(err, VGG_ERR_ARGUMENT, "%s: expected numbers from %g to %g, got %g",
                            name, min, VGG_MAX_MEAN, value);
        }
        out[i] = values[i];
    }
    return VGG_OK;
}

static vgg_status apply_normalization(const struct vgg_model_options *options,
                                      struct vgg_preprocess *preprocess, struct vgg_error *err)
{
    if (options->no_normalize && (options->mean != NULL || options->std != NULL)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "no normalization and mean or std exclude each other");
    }
    if (options->no_normalize) {
        preprocess->unscaled = 0;
        for (int i = 0; i < 3; i++) {
            preprocess->mean[i] = 0;
            preprocess->std[i] = 1;
        }
    }
    vgg_status status = apply_rgb("mean", options->mean, -VGG_MAX_MEAN, preprocess->mean, err);
    return status ? status : apply_rgb("std", options->std, VGG_MIN_STD, preprocess->std, err);
}

vgg_status vgg_preprocess_apply_values(const struct vgg_model_options *options, int channels,
                                       struct vgg_preprocess *preprocess, struct vgg_error *err)
{
    const bool changes = options->interpolation != NULL || options->channels != NULL ||
                         options->no_normalize || options->mean != NULL || options->std != NULL;
    vgg_status status = VGG_OK;
    preprocess->channels = channels;
    if (changes) {
        strcpy(preprocess->name, "custom");
    }
    if (options->interpolation != NULL &&
        !vgg_interpolation_parse(options->interpolation, &preprocess->interpolation)) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "interpolation '%.*s': expected one of bilinear, bicubic, nearest, lanczos",
                        VGG_SHOWN_TEXT(options->interpolation, 40));
    }
    if (options->channels != NULL) {
        status = apply_channels(options->channels, channels, preprocess, err);
    }
    return status ? status : apply_normalization(options, preprocess, err);
}

bool vgg_preprocess_gives_size(const struct vgg_model_options *options)
{
    return options->height > 0 || options->width > 0 || options->resize != 0 || options->crop != 0;
}

bool vgg_preprocess_gives_values(const struct vgg_model_options *options)
{
    return options->no_normalize || (options->mean != NULL && options->std != NULL);
}
