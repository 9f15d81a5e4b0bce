/* SPDX-License-Identifier: MIT */
/* An image from its file to the net's input. */
#include "io/read_image.h"

#include <stdlib.h>

#include "io/files.h"
#include "io/message.h"
#include "vgg/image.h"

/* Decodes an image and computes the size of its input. *image is to be destroyed in any case. */
static vgg_status open_image(const char *path, const struct vgg_preprocess *preprocess,
                             struct vgg_image *image, struct image_input *input,
                             struct vgg_error *err)
{
    *image = (struct vgg_image){0};
    *input = (struct image_input){0};
    if (file_sniff(path) == FILE_FOLDER) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: expected an image, got a folder", path);
    }
    vgg_status status = vgg_image_open(path, NULL, image, err);
    if (status == VGG_OK) {
        status = vgg_preprocess_get_size(preprocess, image->width, image->height, NULL,
                                         &input->width, &input->height, err);
    }
    return status;
}

vgg_status image_read(const char *path, const struct vgg_preprocess *preprocess,
                      struct image_input *out, struct vgg_error *err)
{
    struct vgg_image image;
    vgg_status status = open_image(path, preprocess, &image, out, err);
    if (status == VGG_OK) {
        out->tensor = malloc((size_t)out->width * (size_t)out->height * 3 * sizeof *out->tensor);
        status = out->tensor == NULL
                     ? message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", path)
                     : vgg_image_to_tensor(&image, preprocess, NULL, out->tensor, err);
    }
    if (status != VGG_OK) {
        free(out->tensor);
        out->tensor = NULL;
    }
    vgg_image_destroy(&image);
    return status;
}

vgg_status image_read_sized(const char *path, const struct vgg_preprocess *preprocess,
                            const struct image_input *out, struct vgg_error *err)
{
    struct vgg_image image;
    struct image_input found;
    vgg_status status = open_image(path, preprocess, &image, &found, err);
    if (status == VGG_OK && (found.width != out->width || found.height != out->height)) {
        status =
            message_fail(err, VGG_ERR_MISMATCH,
                         "%s: expected an input of %dx%d pixels after preprocessing, got %dx%d",
                         path, out->width, out->height, found.width, found.height);
    }
    if (status == VGG_OK) {
        status = vgg_image_to_tensor(&image, preprocess, NULL, out->tensor, err);
    }
    vgg_image_destroy(&image);
    return status;
}
