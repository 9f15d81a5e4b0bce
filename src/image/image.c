/* SPDX-License-Identifier: MIT */
/* Counts what an image takes of its limits; allocates pixels and frees them. */
#include "image/image.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"

/* Steps of this many pixels are always allowed: small images are decoded in blocks that are larger than they are. */
enum { FREE_PIXELS = 65536 };

struct vgg_image_job vgg_image_job_make(const char *name, const struct vgg_limits *limits,
                                        const struct vgg_allocator *allocator)
{
    struct vgg_limits defaults;
    if (limits == NULL) {
        vgg_limits_init(&defaults);
        limits = &defaults;
    }
    return (struct vgg_image_job){.name = name,
                                  .max_pixels = limits->image_pixels,
                                  .max_bytes = limits->image_memory,
                                  .allocator = allocator};
}

struct vgg_image_job vgg_image_job_unlimited(const struct vgg_image *image)
{
    return (struct vgg_image_job){.max_pixels = UINT64_MAX,
                                  .max_bytes = UINT64_MAX,
                                  .allocator = &image->allocator,
                                  .width = image->width,
                                  .height = image->height};
}

/* How a message begins: "NAME: image of 3 x 2 pixels", without what is not known. */
struct subject {
    const char *name, *colon;
    char image[64];
};

static struct subject get_subject(const struct vgg_image_job *job)
{
    struct subject subject = {job->name != NULL ? job->name : "", job->name != NULL ? ": " : "",
                              "image"};
    if (job->width > 0) {
        snprintf(subject.image, sizeof subject.image, "image of %d x %d pixels", job->width,
                 job->height);
    }
    return subject;
}

vgg_status vgg_image_set_size(struct vgg_image_job *job, uint64_t width, uint64_t height,
                              struct vgg_error *err)
{
    if (width > INT_MAX || height > INT_MAX || width > job->max_pixels / height) {
        const struct subject subject = get_subject(job);
        return vgg_fail_hint(err, VGG_ERR_LIMIT, VGG_HINT_MAX_PIXELS,
                             "%s%simage of %llu x %llu pixels, limit is %llu in all", subject.name,
                             subject.colon, (unsigned long long)width, (unsigned long long)height,
                             (unsigned long long)job->max_pixels);
    }
    job->width = (int)width;
    job->height = (int)height;
    return VGG_OK;
}

vgg_status vgg_image_charge(struct vgg_image_job *job, uint64_t bytes, const char *thing,
                            struct vgg_error *err)
{
    if (bytes > job->max_bytes - job->used_bytes) {
        const struct subject subject = get_subject(job);
        const uint64_t total =
            bytes > UINT64_MAX - job->used_bytes ? UINT64_MAX : job->used_bytes + bytes;
        return vgg_fail_hint(err, VGG_ERR_LIMIT, VGG_HINT_MAX_MEMORY,
                             "%s%s%s needs %llu bytes of memory with %s, limit is %llu",
                             subject.name, subject.colon, subject.image, (unsigned long long)total,
                             thing, (unsigned long long)job->max_bytes);
    }
    job->used_bytes += bytes;
    return VGG_OK;
}

vgg_status vgg_image_alloc(struct vgg_image_job *job, uint64_t bytes, const char *thing, void **out,
                           struct vgg_error *err)
{
    vgg_status status = vgg_image_charge(job, bytes, thing, err);
    if (status != VGG_OK) {
        return status;
    }
    const bool addressable = bytes <= PTRDIFF_MAX;
    *out = addressable ? vgg_mem_alloc(job->allocator, (size_t)bytes, 1) : NULL;
    return *out != NULL ? VGG_OK
                        : vgg_fail_memory(err, job->name != NULL ? job->name : "image",
                                          addressable ? (size_t)bytes : SIZE_MAX, thing);
}

vgg_status vgg_image_check_steps(const struct vgg_image_job *job, uint64_t steps, const char *thing,
                                 struct vgg_error *err)
{
    const uint64_t pixels = job->max_pixels > FREE_PIXELS ? job->max_pixels : FREE_PIXELS;
    if (steps / VGG_STEPS_PER_PIXEL > pixels) {
        const struct subject subject = get_subject(job);
        return vgg_fail_hint(err, VGG_ERR_LIMIT, VGG_HINT_MAX_PIXELS,
                             "%s%s%s: %s takes %llu steps, limit is %d for each of %llu pixels",
                             subject.name, subject.colon, subject.image, thing,
                             (unsigned long long)steps, VGG_STEPS_PER_PIXEL,
                             (unsigned long long)pixels);
    }
    return VGG_OK;
}

vgg_status vgg_image_create(struct vgg_image_job *job, struct vgg_image *out, struct vgg_error *err)
{
    void *rgb;
    const uint64_t pixels = (uint64_t)job->width * (uint64_t)job->height;
    vgg_status status = vgg_image_alloc(job, pixels * 3, "its pixels", &rgb, err);
    if (status != VGG_OK) {
        return status;
    }
    *out = (struct vgg_image){.width = job->width, .height = job->height, .rgb = rgb};
    if (job->allocator != NULL) {
        out->allocator = *job->allocator;
    }
    return VGG_OK;
}

void vgg_image_destroy(struct vgg_image *image)
{
    if (image != NULL) {
        vgg_mem_free(&image->allocator, image->rgb);
        *image = (struct vgg_image){0};
    }
}
