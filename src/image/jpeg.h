/* SPDX-License-Identifier: MIT */
/* The JPEG decoder. */
#ifndef VGG_IMAGE_JPEG_H
#define VGG_IMAGE_JPEG_H

#include "image/rows.h"

/* Decodes data that starts with the signature of the format. After an error the sink may have taken some rows.
 * Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY, and those of the sink. */
vgg_status vgg_jpeg_read(struct vgg_image_job *job, const struct vgg_image_bytes *bytes,
                         const struct vgg_row_sink *sink, struct vgg_error *err);

#endif
