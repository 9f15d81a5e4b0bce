/* SPDX-License-Identifier: MIT */
/* Allocation of the pixels of an image. */
#ifndef VGG_IMAGE_IMAGE_H
#define VGG_IMAGE_IMAGE_H

#include "base/status.h"
#include "vgg/image.h"

/* Whether width x height, both > 0, are at most max_pixels. Errors: LIMIT. */
vgg_status vgg_image_check_size(const char *name, uint64_t width, uint64_t height,
                                uint64_t max_pixels, struct vgg_error *err);

/* How an image is made. */
struct vgg_image_request {
    const char *name; /* for messages */
    uint64_t max_pixels;
    const struct vgg_allocator *allocator; /* of the pixels; may be NULL */
};

/* Allocates uncleared pixels for width x height, both > 0.
 * Errors: LIMIT (more than max_pixels), MEMORY. */
vgg_status vgg_image_create(const struct vgg_image_request *request, uint64_t width,
                            uint64_t height, struct vgg_image *out, struct vgg_error *err);

#endif
