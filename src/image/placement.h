/* SPDX-License-Identifier: MIT */
/* Where the pixels of an image go: the size after the resize, and the part that the crop keeps. */
#ifndef VGG_IMAGE_PLACEMENT_H
#define VGG_IMAGE_PLACEMENT_H

#include "base/status.h"
#include "image/resize.h"
#include "vgg/image.h"

struct vgg_placement {
    /* Of the resized image. */
    int width, height;
    /* After the crop. */
    int out_width, out_height;
    /* Of the resized image, what the crop keeps. */
    struct vgg_rectangle window;
    /* Black pixels left of and above it. */
    int pad_x, pad_y;
};

/* Computes it for an image of the job's size.
 * Errors: ARGUMENT (a field out of range), LIMIT. */
vgg_status vgg_placement_make(const struct vgg_image_job *job,
                              const struct vgg_preprocess *preprocess, struct vgg_placement *out,
                              struct vgg_error *err);

/* The tensor's planes, 1 or 3. */
int vgg_placement_planes(const struct vgg_preprocess *preprocess);

#endif
