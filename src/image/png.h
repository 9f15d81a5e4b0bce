/* SPDX-License-Identifier: MIT */
/* The PNG decoder. */
#ifndef VGG_IMAGE_PNG_H
#define VGG_IMAGE_PNG_H

#include "image/image.h"

/* Decodes data that starts with the signature of the format. *out is untouched after an error.
 * Errors: FORMAT, UNSUPPORTED, LIMIT (more than max_pixels), MEMORY. */
vgg_status vgg_png_decode(const struct vgg_image_request *request, const uint8_t *data, size_t size,
                          struct vgg_image *out, struct vgg_error *err);

#endif
