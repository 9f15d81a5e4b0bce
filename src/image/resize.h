/* SPDX-License-Identifier: MIT */
/* Pillow's and torchvision's bilinear resize, for a part of the result. */
#ifndef VGG_IMAGE_RESIZE_H
#define VGG_IMAGE_RESIZE_H

#include "base/status.h"
#include "vgg/image.h"

/* A rectangle of pixels; width and height > 0. */
struct vgg_window {
    int x, y;
    int width, height;
};

/* Computes only the part `window` of vgg_image_resize(image, width, height).
 *   out         the window's pixel (0, 0) in the target
 *   out_stride  bytes from one row of the target to the next
 * Errors: MEMORY. */
vgg_status vgg_resize_window(const struct vgg_image *image, int width, int height,
                             const struct vgg_window *window, uint8_t *out, size_t out_stride,
                             struct vgg_error *err);

#endif
