/* SPDX-License-Identifier: MIT */
/* From an image to the net's input: torchvision's Grayscale, Resize, CenterCrop, ToTensor and Normalize. */
#include "image/image.h"

#include <string.h>

#include "base/mem.h"
#include "image/placement.h"

/* PIL's "L", the luma of ITU-R 601 with 16 fractional bits. */
static uint8_t get_luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

/* Converts an image to gray. Errors: MEMORY. */
static vgg_status make_gray(const struct vgg_image *image, uint8_t **out, struct vgg_error *err)
{
    const size_t count = (size_t)image->width * (size_t)image->height;
    *out = vgg_mem_alloc(&image->allocator, count, 1);
    if (*out == NULL) {
        return vgg_fail_memory(err, "gray", count, "pixels");
    }
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = get_luma(image->rgb + 3 * i);
    }
    return VGG_OK;
}

/* The pixels after the crop, [height][width][channels]. */
struct crop {
    uint8_t *data;
    int width, height, channels;
};

/* image may be NULL if the crop is empty. */
static void free_crop(const struct vgg_image *image, struct crop *crop)
{
    if (crop->data != NULL) {
        vgg_mem_free(&image->allocator, crop->data);
    }
}

/* Resizes pixels into a crop that holds nothing yet. Errors: MEMORY. */
static vgg_status fill_crop(const struct vgg_raster *pixels, const struct vgg_placement *placement,
                            const struct vgg_resizing *resizing, struct crop *crop,
                            struct vgg_error *err)
{
    const size_t channels = (size_t)pixels->channels;
    const size_t stride = (size_t)placement->out_width * channels;
    const size_t bytes = vgg_size_mul_capped(stride, (size_t)placement->out_height);
    *crop = (struct crop){vgg_mem_alloc(resizing->allocator, bytes, 1), placement->out_width,
                          placement->out_height, pixels->channels};
    if (crop->data == NULL) {
        return vgg_fail_memory(err, "crop", bytes, "pixels");
    }
    if (placement->window.width < crop->width || placement->window.height < crop->height) {
        memset(crop->data, 0, bytes);
    }
    return vgg_resize_window(pixels, resizing,
                             crop->data + (size_t)placement->pad_y * stride +
                                 (size_t)placement->pad_x * channels,
                             stride, err);
}

/* Converts, resizes and crops. The crop's data is the caller's to free, after an error too. */
static vgg_status make_crop(const struct vgg_image *image, const struct vgg_preprocess *preprocess,
                            const struct vgg_limits *limits, struct crop *crop,
                            struct vgg_error *err)
{
    struct vgg_placement placement = {0};
    struct vgg_raster pixels = {.channels = 3};
    uint8_t *gray = NULL;
    *crop = (struct crop){0};
    if (image == NULL || image->rgb == NULL || preprocess == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "crop: expected an image and a preset");
    }
    vgg_status status = vgg_placement_make(preprocess, image, limits, &placement, err);
    if (status == VGG_OK && (preprocess->gray || preprocess->channels == 1)) {
        status = make_gray(image, &gray, err);
        pixels.channels = 1;
    }
    if (status == VGG_OK) {
        const struct vgg_resizing resizing = {.width = placement.width,
                                              .height = placement.height,
                                              .interpolation = preprocess->interpolation,
                                              .window = placement.window,
                                              .allocator = &image->allocator};
        pixels.data = gray != NULL ? gray : image->rgb;
        pixels.width = image->width;
        pixels.height = image->height;
        status = fill_crop(&pixels, &placement, &resizing, crop, err);
    }
    vgg_mem_free(&image->allocator, gray);
    return status;
}

/* Makes an image of gray pixels. Errors: MEMORY. */
static vgg_status spread_gray(const struct crop *gray, const struct vgg_allocator *allocator,
                              struct vgg_image *out, struct vgg_error *err)
{
    const size_t count = (size_t)gray->width * (size_t)gray->height;
    const struct vgg_image_request request = {"crop", UINT64_MAX, allocator};
    vgg_status status =
        vgg_image_create(&request, (uint64_t)gray->width, (uint64_t)gray->height, out, err);
    for (size_t i = 0; status == VGG_OK && i < count; i++) {
        memset(out->rgb + 3 * i, gray->data[i], 3);
    }
    return status;
}

vgg_status vgg_image_crop(const struct vgg_image *image, const struct vgg_preprocess *preprocess,
                          const struct vgg_limits *limits, struct vgg_image *out,
                          struct vgg_error *err)
{
    struct crop crop;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "crop: expected an image for the result, got NULL");
    }
    vgg_status status = make_crop(image, preprocess, limits, &crop, err);
    if (status == VGG_OK && crop.channels == 3) {
        *out = (struct vgg_image){crop.width, crop.height, crop.data, image->allocator};
        return VGG_OK;
    }
    if (status == VGG_OK) {
        status = spread_gray(&crop, &image->allocator, out, err);
    }
    free_crop(image, &crop);
    return status;
}

/* ToTensor divides by 255 and Normalize subtracts, then divides, each rounded to float32.
 *   channel  0 … 2: R, G or B */
static void normalise(const struct crop *crop, const struct vgg_preprocess *preprocess, int channel,
                      float *out)
{
    const float scale = preprocess->unscaled ? 1.0f : 255.0f;
    const size_t count = (size_t)crop->width * (size_t)crop->height;
    const size_t step = (size_t)crop->channels;
    const uint8_t *pixel = crop->data + (step == 3 ? channel : 0);
    float values[256];
    for (int v = 0; v < 256; v++) {
        values[v] = ((float)v / scale - preprocess->mean[channel]) / preprocess->std[channel];
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = values[pixel[step * i]];
    }
}

vgg_status vgg_image_to_tensor(const struct vgg_image *image,
                               const struct vgg_preprocess *preprocess,
                               const struct vgg_limits *limits, float *out, struct vgg_error *err)
{
    struct crop crop;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "tensor: expected memory for the result, got NULL");
    }
    vgg_status status = make_crop(image, preprocess, limits, &crop, err);
    if (status == VGG_OK) {
        const size_t count = (size_t)crop.width * (size_t)crop.height;
        const int planes = preprocess->channels == 1 ? 1 : 3;
        for (int p = 0; p < planes; p++) {
            const int channel = preprocess->bgr && planes == 3 ? 2 - p : p;
            normalise(&crop, preprocess, channel, out + (size_t)p * count);
        }
    }
    free_crop(image, &crop);
    return status;
}
