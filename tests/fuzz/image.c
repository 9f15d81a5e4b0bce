/* SPDX-License-Identifier: MIT */
/* Fuzz target: a JPEG or PNG from its bytes to the net's input. The last byte chooses the
 * preprocessing. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "vgg/image.h"

/* The tensor made of all pixels.
 *   out    to be freed, after an error too
 *   count  receives its elements */
static vgg_status make_tensor(const struct vgg_image *image,
                              const struct vgg_preprocess *preprocess,
                              const struct vgg_limits *limits, float **out, size_t *count)
{
    int width, height;
    *out = NULL;
    vgg_status status = vgg_preprocess_get_size(preprocess, image->width, image->height, limits,
                                                &width, &height, NULL);
    if (status != VGG_OK) {
        return status;
    }
    *count = (size_t)width * (size_t)height * (preprocess->channels == 1 ? 1 : 3);
    *out = malloc(*count * sizeof **out);
    return *out != NULL ? vgg_image_to_tensor(image, preprocess, limits, *out, NULL)
                        : VGG_ERR_MEMORY;
}

/* The tensor made without them must be the same. */
static vgg_status compare(const vgg_image_file *file, const struct vgg_preprocess *preprocess,
                          const float *expected, size_t count)
{
    float *tensor = malloc(count * sizeof *tensor);
    if (tensor == NULL) {
        return VGG_ERR_MEMORY;
    }
    vgg_status status = vgg_image_file_to_tensor(file, preprocess, tensor, NULL);
    fuzz_check(status != VGG_OK || memcmp(tensor, expected, count * sizeof *tensor) == 0,
               "rows give the tensor of the whole image");
    free(tensor);
    return status;
}

static vgg_status prepare(const uint8_t *data, size_t size, const struct vgg_image *image,
                          const struct vgg_preprocess *preprocess,
                          const struct vgg_context *context)
{
    size_t count = 0;
    float *tensor;
    vgg_image_file *file = NULL;
    vgg_status status = make_tensor(image, preprocess, context->limits, &tensor, &count);
    if (status == VGG_OK) {
        status = vgg_image_file_open_memory(data, size, "image", context, &file, NULL);
    }
    if (status == VGG_OK) {
        status = compare(file, preprocess, tensor, count);
    }
    vgg_image_file_close(file);
    free(tensor);
    return status;
}

vgg_status fuzz_one(const uint8_t *data, size_t size)
{
    static struct vgg_error err;
    static const struct vgg_preprocess presets[] = {
        {.resize = 32, .crop = 32, .std = {1, 1, 1}},
        {.resize = 17, .crop = 0, .std = {1, 1, 1}},
        {.resize = 0, .crop = 40, .std = {1, 1, 1}},
        {.resize = 256, .crop = 224, .std = {1, 1, 1}},
        {.resize = 33,
         .resize_width = 20,
         .interpolation = VGG_INTERPOLATION_LANCZOS,
         .std = {1, 1, 1}},
        {.resize = 19, .interpolation = VGG_INTERPOLATION_BICUBIC, .channels = 1, .std = {1}},
        {.resize = 64,
         .resize_width = 65,
         .interpolation = VGG_INTERPOLATION_NEAREST,
         .crop = 70,
         .gray = 1,
         .std = {1, 1, 1}},
    };
    struct vgg_limits limits;
    struct vgg_image image = {0};
    if (size == 0) {
        return VGG_ERR_FORMAT;
    }
    vgg_limits_init(&limits);
    limits.image_pixels = 1 << 17;
    const struct vgg_context context = {.limits = &limits};
    vgg_status status = vgg_image_decode(data, size - 1, "image", &context, &image, &err);
    if (status == VGG_OK) {
        fuzz_check(image.width > 0 && image.height > 0 && image.rgb != NULL, "an image has pixels");
        status = prepare(data, size - 1, &image, &presets[data[size - 1] % 7], &context);
    } else {
        fuzz_check(image.rgb == NULL, "no image after an error");
    }
    vgg_image_destroy(&image);
    return status;
}
