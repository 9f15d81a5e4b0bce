/* SPDX-License-Identifier: MIT */
/* Turns an image into the net's input, as torchvision's Resize, CenterCrop, ToTensor and Normalize do. */
#include "image/image.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "image/resize.h"

/* Sizes and positions. */
struct plan {
    /* Of the resized image. */
    int width, height;
    /* After the crop. */
    int out_width, out_height;
    /* The part of the resized image within the crop, and the black pixels left of it and above it. */
    struct vgg_window window;
    int pad_x, pad_y;
};

/* Python's round(excess / 2), which rounds ties to even. */
static int half_to_even(int excess)
{
    int half = excess / 2;
    return excess % 2 == 0 ? half : half + half % 2;
}

/* CenterCrop along one axis. An image smaller than the crop is first padded with black on both sides; an odd pixel is added
 * at the end. */
static void crop_axis(int size, int crop, int *out_size, int *first, int *count, int *pad)
{
    *out_size = crop > 0 ? crop : size;
    *first = size > *out_size ? half_to_even(size - *out_size) : 0;
    *pad = size < *out_size ? (*out_size - size) / 2 : 0;
    *count = size < *out_size ? size : *out_size;
}

static vgg_status make_plan(const struct vgg_preprocess *preprocess, int width, int height,
                            const struct vgg_limits *limits, struct plan *plan,
                            struct vgg_error *err)
{
    struct vgg_limits defaults;
    if (limits == NULL) {
        vgg_limits_init(&defaults);
        limits = &defaults;
    }
    if (preprocess->resize < 0 || preprocess->crop < 0 || preprocess->crop_width < 0 ||
        width <= 0 || height <= 0) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "preprocess: resize %d, crop %d, image %d x %d",
                        preprocess->resize, preprocess->crop, width, height);
    }
    for (int i = 0; i < 3; i++) {
        if (!(preprocess->std[i] != 0.0f)) {
            return vgg_fail(err, VGG_ERR_ARGUMENT, "preprocess: std[%d] is 0", i);
        }
    }
    /* Python's int(size * long / short), which truncates. All values are below 2^62. */
    uint64_t w = (uint64_t)width, h = (uint64_t)height, side = (uint64_t)preprocess->resize;
    if (side > 0 && w <= h) {
        h = side * h / w;
        w = side;
    } else if (side > 0) {
        w = side * w / h;
        h = side;
    }
    const int crop_height = preprocess->crop;
    const int crop_width = preprocess->crop_width > 0 ? preprocess->crop_width : crop_height;
    if (w > limits->image_pixels / h || w > INT_MAX || h > INT_MAX ||
        (uint64_t)crop_width * (uint64_t)crop_height > limits->image_pixels) {
        return vgg_fail(err, VGG_ERR_LIMIT,
                        "image of %d x %d pixels: resize to %llu x %llu, limit is %llu pixels",
                        width, height, (unsigned long long)w, (unsigned long long)h,
                        (unsigned long long)limits->image_pixels);
    }
    *plan = (struct plan){.width = (int)w, .height = (int)h};
    crop_axis(plan->width, crop_width, &plan->out_width, &plan->window.x, &plan->window.width,
              &plan->pad_x);
    crop_axis(plan->height, crop_height, &plan->out_height, &plan->window.y, &plan->window.height,
              &plan->pad_y);
    return VGG_OK;
}

vgg_status vgg_preprocess_get_size(const struct vgg_preprocess *preprocess, int image_width,
                                   int image_height, const struct vgg_limits *limits, int *width,
                                   int *height, struct vgg_error *err)
{
    struct plan plan = {0};
    vgg_status status = make_plan(preprocess, image_width, image_height, limits, &plan, err);
    if (status == VGG_OK) {
        *width = plan.out_width;
        *height = plan.out_height;
    }
    return status;
}

vgg_status vgg_image_crop(const struct vgg_image *image, const struct vgg_preprocess *preprocess,
                          const struct vgg_limits *limits, struct vgg_image *out,
                          struct vgg_error *err)
{
    struct plan plan = {0};
    struct vgg_image crop = {0};
    if (image == NULL || image->rgb == NULL || preprocess == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "crop: expected an image and a preset");
    }
    vgg_status status = make_plan(preprocess, image->width, image->height, limits, &plan, err);
    if (status != VGG_OK) {
        return status;
    }
    status = vgg_image_create("crop", (uint64_t)plan.out_width, (uint64_t)plan.out_height,
                              UINT64_MAX, &image->allocator, &crop, err);
    if (status != VGG_OK) {
        return status;
    }
    size_t stride = (size_t)plan.out_width * 3;
    if (plan.window.width < plan.out_width || plan.window.height < plan.out_height) {
        memset(crop.rgb, 0, stride * (size_t)plan.out_height);
    }
    status = vgg_resize_window(image, plan.width, plan.height, &plan.window,
                               crop.rgb + (size_t)plan.pad_y * stride + (size_t)plan.pad_x * 3,
                               stride, err);
    if (status != VGG_OK) {
        vgg_image_destroy(&crop);
        return status;
    }
    *out = crop;
    return VGG_OK;
}

vgg_status vgg_image_to_tensor(const struct vgg_image *image,
                               const struct vgg_preprocess *preprocess,
                               const struct vgg_limits *limits, float *out, struct vgg_error *err)
{
    struct vgg_image crop;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "tensor: expected memory for the result, got NULL");
    }
    vgg_status status = vgg_image_crop(image, preprocess, limits, &crop, err);
    if (status != VGG_OK) {
        return status;
    }
    size_t plane = (size_t)crop.width * (size_t)crop.height;
    for (int p = 0; p < 3; p++) {
        /* R, G or B. */
        const int c = preprocess->bgr ? 2 - p : p;
        /* ToTensor divides by 255; Normalize subtracts, then divides. Each result is rounded to float32. */
        const float scale = preprocess->unscaled ? 1.0f : 255.0f;
        float values[256];
        for (int v = 0; v < 256; v++) {
            values[v] = ((float)v / scale - preprocess->mean[c]) / preprocess->std[c];
        }
        const uint8_t *pixel = crop.rgb + c;
        for (size_t i = 0; i < plane; i++) {
            out[(size_t)p * plane + i] = values[pixel[3 * i]];
        }
    }
    vgg_image_destroy(&crop);
    return VGG_OK;
}
