/* SPDX-License-Identifier: MIT */
/* An image from its file to the net's input. */
#ifndef TOOLS_IO_READ_IMAGE_H
#define TOOLS_IO_READ_IMAGE_H

#include "vgg/preprocess.h"
#include "vgg/status.h"

/* An image as input of a net. */
struct image_input {
    float *tensor; /* [3][height][width] */
    int width, height;
};

/* Decodes and preprocesses an image.
 *   out  its tensor is to be freed by the caller; NULL after an error */
vgg_status image_read(const char *path, const struct vgg_preprocess *preprocess,
                      struct image_input *out, struct vgg_error *err);

/* The same into the tensor of out. An image of another size than out after preprocessing, possible if there is
 * no crop, fails with MISMATCH. */
vgg_status image_read_sized(const char *path, const struct vgg_preprocess *preprocess,
                            const struct image_input *out, struct vgg_error *err);

#endif
