/* SPDX-License-Identifier: MIT */
/* An image from its file to the net's input. */
#ifndef TOOLS_IO_READ_IMAGE_H
#define TOOLS_IO_READ_IMAGE_H

#include "vgg/preprocess.h"
#include "vgg/status.h"

/* [3][height][width], to be freed by the caller; NULL after an error. */
vgg_status image_read(const char *path, const struct vgg_preprocess *preprocess, float **out,
                      int *width, int *height, struct vgg_error *err);

/* The same into the caller's out, [3][height][width]; an image of another size after preprocessing, possible if
 * there is no crop, fails with MISMATCH. */
vgg_status image_read_sized(const char *path, const struct vgg_preprocess *preprocess, int width,
                            int height, float *out, struct vgg_error *err);

#endif
