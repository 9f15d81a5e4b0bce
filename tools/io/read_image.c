/* SPDX-License-Identifier: MIT */
/* An image from its file to the net's input. */
#include "io/read_image.h"

#include <stdlib.h>

#include "io/files.h"
#include "io/message.h"
#include "vgg/image.h"

/* Decodes an image and computes its size after preprocessing. *image is to be destroyed in any case. */
static vgg_status open_image(const char *path, const struct vgg_preprocess *preprocess,
                             struct vgg_image *image, int *width, int *height,
                             struct vgg_error *err)
{
    *image = (struct vgg_image){0};
    if (file_sniff(path) == FILE_FOLDER) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: expected an image, got a folder", path);
    }
    vgg_status status = vgg_image_open(path, NULL, image, err);
    if (status == VGG_OK) {
        status = vgg_preprocess_get_size(preprocess, image->width, image->height, NULL, width,
                                         height, err);
    }
    return status;
}

vgg_status image_read(const char *path, const struct vgg_preprocess *preprocess, float **out,
                      int *width, int *height, struct vgg_error *err)
{
    struct vgg_image image;
    float *tensor = NULL;
    *out = NULL;
    vgg_status status = open_image(path, preprocess, &image, width, height, err);
    if (status != VGG_OK) {
        goto done;
    }
    tensor = malloc((size_t)*width * (size_t)*height * 3 * sizeof *tensor);
    if (tensor == NULL) {
        status = message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", path);
        goto done;
    }
    status = vgg_image_to_tensor(&image, preprocess, NULL, tensor, err);
    if (status == VGG_OK) {
        *out = tensor;
        tensor = NULL;
    }
done:
    free(tensor);
    vgg_image_destroy(&image);
    return status;
}

vgg_status image_read_sized(const char *path, const struct vgg_preprocess *preprocess, int width,
                            int height, float *out, struct vgg_error *err)
{
    struct vgg_image image;
    int found_width, found_height;
    vgg_status status = open_image(path, preprocess, &image, &found_width, &found_height, err);
    if (status == VGG_OK && (found_width != width || found_height != height)) {
        status =
            message_fail(err, VGG_ERR_MISMATCH,
                         "%s: expected an input of %dx%d pixels after preprocessing, found %dx%d",
                         path, width, height, found_width, found_height);
    }
    if (status == VGG_OK) {
        status = vgg_image_to_tensor(&image, preprocess, NULL, out, err);
    }
    vgg_image_destroy(&image);
    return status;
}
