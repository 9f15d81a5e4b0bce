/* SPDX-License-Identifier: MIT */
/* The bilinear filter of Pillow and torchvision, for a part of the result. */
#ifndef VGG_IMAGE_RESIZE_H
#define VGG_IMAGE_RESIZE_H

#include "base/status.h"
#include "vgg/image.h"

/* A rectangle of pixels; width and height > 0. */
struct vgg_window {
    int x, y;
    int width, height;
};

/* A part of an image that is resized to width x height. */
struct vgg_resized_part {
    int width, height;
    struct vgg_window window;
};

/* Rows of pixels, `stride` bytes apart. */
struct vgg_rows {
    uint8_t *first;
    size_t stride;
};

/* The window of the image that vgg_image_resize makes, without computing the rest.
 *   out  the place of the window
 * Errors: MEMORY. */
vgg_status vgg_resize_window(const struct vgg_image *image, const struct vgg_resized_part *part,
                             struct vgg_rows out, struct vgg_error *err);

#endif
