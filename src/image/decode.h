/* SPDX-License-Identifier: MIT */
/* From the bytes of a file to rows of pixels, whatever the format. */
#ifndef VGG_IMAGE_DECODE_H
#define VGG_IMAGE_DECODE_H

#include "image/rows.h"

/* Decodes a JPEG or PNG, which is recognised by its content. After an error the sink may have taken some rows.
 * Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY, and those of the sink. */
vgg_status vgg_image_read_rows(struct vgg_image_job *job, const struct vgg_image_bytes *bytes,
                               const struct vgg_row_sink *sink, struct vgg_error *err);

#endif
