/* SPDX-License-Identifier: MIT */
/* Where a decoder puts the rows of an image. */
#ifndef VGG_IMAGE_ROWS_H
#define VGG_IMAGE_ROWS_H

#include "image/image.h"

struct vgg_row_sink {
    /* The header is read, the size is in the job, and nothing is decoded: checks and allocates. An error of it is the
     * decoder's. */
    vgg_status (*begin)(void *user, struct vgg_image_job *job, struct vgg_error *err);
    /* Takes the next row from the top, [width][3]. NULL: nothing is decoded. */
    void (*take)(void *user, const uint8_t *rgb);
    void *user;
};

/* An encoded image. */
struct vgg_image_bytes {
    const uint8_t *data;
    size_t size;
};

#endif
