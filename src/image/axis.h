/* SPDX-License-Identifier: MIT */
/* Which pixels of one axis make each pixel of the resized axis, and with which weights. */
#ifndef VGG_IMAGE_AXIS_H
#define VGG_IMAGE_AXIS_H

#include "image/image.h"

/* Weights are integers in units of 1 / 2^22: 32 bits less 8 for the pixel and 2 to spare, as filters with negative
 * parts overshoot. */
#define VGG_WEIGHT_BITS 22

/* The pixels [first, first + count) of an axis of `to` pixels, made of one of `from`. */
struct vgg_axis_part {
    int from, to;
    int first, count;
};

struct vgg_axis {
    int count;
    int max_taps;
    /* [count] the first input pixel; never decreases, nor does start + taps. */
    int *start;
    /* [count] the number of input pixels, at least 1; start + taps <= from */
    int *taps;
    /* [count][max_taps] */
    int32_t *weights;
};

/* Computes the weights that Pillow uses, in memory of the job. The axis is to be destroyed after an error, too.
 * Errors: LIMIT, MEMORY. */
vgg_status vgg_axis_create(struct vgg_image_job *job, const struct vgg_axis_part *part,
                           enum vgg_interpolation interpolation, struct vgg_axis *axis,
                           struct vgg_error *err);
void vgg_axis_destroy(const struct vgg_allocator *allocator, struct vgg_axis *axis);

#endif
