/* The face of image/ to itself: what decode.c, the two decoders and preprocess.c share. */
#ifndef VGG_IMAGE_IMAGE_H
#define VGG_IMAGE_IMAGE_H

#include "base/status.h"
#include "vgg/image.h"

/* Allocates uncleared pixels for width x height, both > 0; allocator may be NULL. Errors: LIMIT (more than max_pixels),
 * MEMORY. */
vgg_status vgg_image_create(const char *name, uint64_t width, uint64_t height, uint64_t max_pixels,
                            const struct vgg_allocator *allocator, struct vgg_image *out,
                            struct vgg_error *err);

/* One file format each; data is known to start with the format's signature. *out is untouched after
 * an error. */
vgg_status vgg_jpeg_decode(const uint8_t *data, size_t size, const char *name, uint64_t max_pixels,
                           const struct vgg_allocator *allocator, struct vgg_image *out,
                           struct vgg_error *err);
vgg_status vgg_png_decode(const uint8_t *data, size_t size, const char *name, uint64_t max_pixels,
                          const struct vgg_allocator *allocator, struct vgg_image *out,
                          struct vgg_error *err);

/* A rectangle of pixels; width and height > 0. */
struct vgg_window {
    int x, y;
    int width, height;
};

/* The part `window` of what vgg_image_resize(image, width, height) gives, without computing the rest.
 *   out         pixel (0, 0) of the window's place in the target
 *   out_stride  bytes from one row of the target to the next
 * Errors: MEMORY. */
vgg_status vgg_resize_window(const struct vgg_image *image, int width, int height,
                             const struct vgg_window *window, uint8_t *out, size_t out_stride,
                             struct vgg_error *err);

#endif
