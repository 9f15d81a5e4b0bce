/* SPDX-License-Identifier: MIT */
/* torchvision's Resize and CenterCrop as numbers: sizes, offsets, padding. */
#include "image/placement.h"

#include <limits.h>

/* A size in pixels; all values are below 2^62. */
struct size {
    uint64_t width, height;
};

/* Python's round(excess / 2): halves go to the even neighbour. */
static int half_to_even(int excess)
{
    int half = excess / 2;
    return excess % 2 == 0 ? half : half + half % 2;
}

/* A crop along one axis, in pixels. */
struct axis_crop {
    int size;         /* of the result */
    int first, count; /* of the image, what is kept */
    int pad;          /* black pixels before it */
};

/* CenterCrop along one axis. An image smaller than the crop is first padded with black up to it, the
 * odd pixel at the end. */
static struct axis_crop crop_axis(int size, int crop)
{
    const int out = crop > 0 ? crop : size;
    return (struct axis_crop){
        .size = out,
        .first = size > out ? half_to_even(size - out) : 0,
        .count = size < out ? size : out,
        .pad = size < out ? (out - size) / 2 : 0,
    };
}

static vgg_status check(const struct vgg_preprocess *preprocess, int width, int height,
                        struct vgg_error *err)
{
    const int channels = preprocess->channels;
    if (preprocess->resize < 0 || preprocess->crop < 0 || preprocess->crop_width < 0 ||
        preprocess->resize_width < 0 || (preprocess->resize_width > 0 && preprocess->resize == 0) ||
        width <= 0 || height <= 0) {
        return vgg_fail(
            err, VGG_ERR_ARGUMENT, "preprocess: resize %d, resize_width %d, crop %d, image %d x %d",
            preprocess->resize, preprocess->resize_width, preprocess->crop, width, height);
    }
    if ((unsigned)preprocess->interpolation > VGG_INTERPOLATION_LANCZOS) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "preprocess: interpolation %d",
                        (int)preprocess->interpolation);
    }
    if (channels != 0 && channels != 1 && channels != 3) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "preprocess: expected 1 or 3 channels, got %d",
                        channels);
    }
    for (int i = 0; i < (channels == 1 ? 1 : 3); i++) {
        if (!(preprocess->std[i] != 0.0f)) {
            return vgg_fail(err, VGG_ERR_ARGUMENT, "preprocess: std[%d] is 0", i);
        }
    }
    return VGG_OK;
}

/* The longer side is int(side * long / short), a true division truncated. */
static struct size get_resized(const struct vgg_preprocess *preprocess, int width, int height)
{
    const uint64_t w = (uint64_t)width, h = (uint64_t)height, side = (uint64_t)preprocess->resize;
    if (side == 0) {
        return (struct size){w, h};
    }
    if (preprocess->resize_width > 0) {
        return (struct size){(uint64_t)preprocess->resize_width, side};
    }
    return w <= h ? (struct size){side, side * h / w} : (struct size){side * w / h, side};
}

vgg_status vgg_placement_make(const struct vgg_image_job *job,
                              const struct vgg_preprocess *preprocess, struct vgg_placement *out,
                              struct vgg_error *err)
{
    const int width = job->width, height = job->height;
    vgg_status status = check(preprocess, width, height, err);
    if (status != VGG_OK) {
        return status;
    }
    const struct size resized = get_resized(preprocess, width, height);
    const int crop_height = preprocess->crop;
    const int crop_width = preprocess->crop_width > 0 ? preprocess->crop_width : crop_height;
    if (resized.width > job->max_pixels / resized.height || resized.width > INT_MAX ||
        resized.height > INT_MAX ||
        (uint64_t)crop_width * (uint64_t)crop_height > job->max_pixels) {
        return vgg_fail_hint(
            err, VGG_ERR_LIMIT, VGG_HINT_MAX_PIXELS,
            "%s%simage of %d x %d pixels: resize to %llu x %llu, limit is %llu pixels",
            job->name != NULL ? job->name : "", job->name != NULL ? ": " : "", width, height,
            (unsigned long long)resized.width, (unsigned long long)resized.height,
            (unsigned long long)job->max_pixels);
    }
    const struct axis_crop x = crop_axis((int)resized.width, crop_width);
    const struct axis_crop y = crop_axis((int)resized.height, crop_height);
    *out = (struct vgg_placement){
        .width = (int)resized.width,
        .height = (int)resized.height,
        .out_width = x.size,
        .out_height = y.size,
        .window = {.x = x.first, .y = y.first, .width = x.count, .height = y.count},
        .pad_x = x.pad,
        .pad_y = y.pad,
    };
    return VGG_OK;
}

int vgg_placement_planes(const struct vgg_preprocess *preprocess)
{
    return preprocess->channels == 1 ? 1 : 3;
}

vgg_status vgg_preprocess_get_size(const struct vgg_preprocess *preprocess, int image_width,
                                   int image_height, const struct vgg_limits *limits, int *width,
                                   int *height, struct vgg_error *err)
{
    struct vgg_placement placement = {0};
    struct vgg_image_job job = vgg_image_job_make(NULL, limits, NULL);
    job.width = image_width;
    job.height = image_height;
    vgg_status status = vgg_placement_make(&job, preprocess, &placement, err);
    if (status == VGG_OK) {
        *width = placement.out_width;
        *height = placement.out_height;
    }
    return status;
}
