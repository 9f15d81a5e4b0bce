/* SPDX-License-Identifier: MIT */
/* Pillow's resize, for a part of the result. */
#ifndef VGG_IMAGE_RESIZE_H
#define VGG_IMAGE_RESIZE_H

#include "base/status.h"
#include "vgg/context.h"
#include "vgg/preprocess.h"

/* 8-bit pixels [height][width][channels]. */
struct vgg_raster {
    const uint8_t *data;
    int width, height;
    /* 1 or 3 */
    int channels;
};

/* A rectangle of pixels; width and height > 0. */
struct vgg_rectangle {
    int x, y;
    int width, height;
};

/* What an image is resized to, and the part of it that is wanted. */
struct vgg_resizing {
    int width, height;
    enum vgg_interpolation interpolation;
    struct vgg_rectangle window;
    /* NULL: malloc */
    const struct vgg_allocator *allocator;
};

/* Computes the window of what Pillow's Image.resize gives, without the rest.
 *   out         pixel (0, 0) of the window's place in the target
 *   out_stride  bytes from one row of the target to the next
 * Errors: MEMORY. */
vgg_status vgg_resize_window(const struct vgg_raster *image, const struct vgg_resizing *resizing,
                             uint8_t *out, size_t out_stride, struct vgg_error *err);

#endif
