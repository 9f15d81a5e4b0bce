/* SPDX-License-Identifier: MIT */
/* What decoding and resizing one image may cost, and the allocation of its pixels. */
#ifndef VGG_IMAGE_IMAGE_H
#define VGG_IMAGE_IMAGE_H

#include "base/status.h"
#include "vgg/image.h"

/* Steps of decoding and resizing that are allowed for each of max_pixels. A step is a sample of a scan that is decoded, or
 * a multiplication of all channels of a pixel. Large images of real use take up to 14 samples (ten scans of a
 * progressive JPEG), or 14 multiplications (Lanczos, both passes). */
enum { VGG_STEPS_PER_PIXEL = 16 };

/* One image on its way from a file to pixels or a tensor: its limits and what it has taken of them. */
struct vgg_image_job {
    /* For messages; NULL: there is no file. */
    const char *name;
    uint64_t max_pixels;
    /* Of all that is taken, the result included; memory that is freed counts on. */
    uint64_t max_bytes;
    /* NULL: malloc */
    const struct vgg_allocator *allocator;
    /* Of the image; 0: its header is not read yet. */
    int width, height;
    uint64_t used_bytes;
};

/* A job with these limits; NULL: the defaults. */
struct vgg_image_job vgg_image_job_make(const char *name, const struct vgg_limits *limits,
                                        const struct vgg_allocator *allocator);

/* A job without limits, with the size and the memory of an image. */
struct vgg_image_job vgg_image_job_unlimited(const struct vgg_image *image);

/* Records the size, both > 0. Errors: LIMIT, with more than max_pixels. */
vgg_status vgg_image_set_size(struct vgg_image_job *job, uint64_t width, uint64_t height,
                              struct vgg_error *err);

/* Counts memory before it is allocated.
 *   thing  what needs it
 * Errors: LIMIT, with more than max_bytes in all. */
vgg_status vgg_image_charge(struct vgg_image_job *job, uint64_t bytes, const char *thing,
                            struct vgg_error *err);

/* Counts and allocates memory, to be freed with vgg_mem_free. Errors: LIMIT, MEMORY. */
vgg_status vgg_image_alloc(struct vgg_image_job *job, uint64_t bytes, const char *thing, void **out,
                           struct vgg_error *err);

/* Compares steps with the limit, VGG_STEPS_PER_PIXEL for each of max_pixels.
 *   thing  what takes them
 * Errors: LIMIT. */
vgg_status vgg_image_check_steps(const struct vgg_image_job *job, uint64_t steps, const char *thing,
                                 struct vgg_error *err);

/* Allocates uncleared pixels of the job's size. *out is untouched after an error. Errors: LIMIT, MEMORY. */
vgg_status vgg_image_create(struct vgg_image_job *job, struct vgg_image *out,
                            struct vgg_error *err);

#endif
