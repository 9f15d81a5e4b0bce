/* SPDX-License-Identifier: MIT */
/* Decode a JPEG or PNG and make the net's input of it, bit for bit as Pillow and torchvision do. */
#ifndef VGG_IMAGE_H
#define VGG_IMAGE_H

#include "vgg/context.h"
#include "vgg/preprocess.h"
#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 8-bit RGB, rows from the top, pixels [height][width][3]. Owned by who decoded it. */
struct vgg_image {
    int width;
    int height;
    uint8_t *rgb;
    struct vgg_allocator allocator; /* where rgb is from, and what is made of this image; cleared:
                                       malloc */
};

/* Decodes a JPEG or PNG file, recognised by content; "-" reads standard input.
 *   name     for messages only (vgg_image_decode)
 *   context  NULL for the defaults
 *   out      filled on success; free it with vgg_image_destroy. Untouched after an error.
 * The pixels are those of Pillow's Image.open(path).convert("RGB"): EXIF orientation, ICC profiles,
 * gamma and alpha have no influence. Truncated and corrupt files are errors, as in Pillow.
 * Errors: IO, FORMAT, UNSUPPORTED, LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_image_open(const char *path, const struct vgg_context *context,
                                  struct vgg_image *out, struct vgg_error *err);
VGG_API vgg_status vgg_image_decode(const void *bytes, size_t count, const char *name,
                                    const struct vgg_context *context, struct vgg_image *out,
                                    struct vgg_error *err);

/* Frees the pixels and clears the struct; a cleared struct is allowed. */
VGG_API void vgg_image_destroy(struct vgg_image *image);

/* Pillow's Image.resize((width, height), BILINEAR): antialiased, fixed point, horizontal pass first.
 *   out  filled on success; free it with vgg_image_destroy. Untouched after an error
 * Errors: ARGUMENT (a size below 1), LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_image_resize(const struct vgg_image *image, int width, int height,
                                    struct vgg_image *out, struct vgg_error *err);

/* Size of the tensor that vgg_image_to_tensor makes of an image of this size.
 *   width, height  receive it, in pixels
 * Errors: LIMIT when the resized image would exceed limits->image_pixels (NULL: defaults). Threads: any. */
VGG_API vgg_status vgg_preprocess_get_size(const struct vgg_preprocess *preprocess, int image_width,
                                           int image_height, const struct vgg_limits *limits,
                                           int *width, int *height, struct vgg_error *err);

/* Resize, centre crop, scale and normalise.
 *   out  [3][height][width] as vgg_preprocess_get_size says, planes R, G, B, or B, G, R if the preset
 *        says so; [1][height][width] with preprocess->channels of 1; the caller's
 * Errors: LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_image_to_tensor(const struct vgg_image *image,
                                       const struct vgg_preprocess *preprocess,
                                       const struct vgg_limits *limits, float *out,
                                       struct vgg_error *err);

/* The same up to the crop: the 8-bit pixels that are normalised, R, G, B always; of a gray image all three are the same.
 *   out  filled on success; free it with vgg_image_destroy. Untouched after an error
 * Errors: LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_image_crop(const struct vgg_image *image,
                                  const struct vgg_preprocess *preprocess,
                                  const struct vgg_limits *limits, struct vgg_image *out,
                                  struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
