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

/* --- files, without the pixels in between ---
 *
 * An image file whose header is read. Its rows are decoded straight into the resize, so that memory does not grow with the
 * image but for progressive JPEGs and interlaced PNGs, and an image that is over a limit is refused before anything is
 * decoded. The tensor is that of vgg_image_open and vgg_image_to_tensor. */
typedef struct vgg_image_file vgg_image_file;

/* Reads a JPEG or PNG file, recognised by content, and its header; "-" reads standard input.
 *   bytes    borrowed until vgg_image_file_close
 *   name     for messages only; copied
 *   context  NULL for the defaults; its limits are kept for later
 *   out      to be closed with vgg_image_file_close. Untouched after an error
 * Errors: IO, FORMAT, UNSUPPORTED, LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_image_file_open(const char *path, const struct vgg_context *context,
                                       vgg_image_file **out, struct vgg_error *err);
VGG_API vgg_status vgg_image_file_open_memory(const void *bytes, size_t count, const char *name,
                                              const struct vgg_context *context,
                                              vgg_image_file **out, struct vgg_error *err);

/* NULL is allowed. */
VGG_API void vgg_image_file_close(vgg_image_file *file);

/* Of the image, in pixels. */
VGG_API void vgg_image_file_get_size(const vgg_image_file *file, int *width, int *height);

/* Size of the tensor, as vgg_preprocess_get_size says.
 * Errors: ARGUMENT, LIMIT. Threads: any. */
VGG_API vgg_status vgg_image_file_get_input_size(const vgg_image_file *file,
                                                 const struct vgg_preprocess *preprocess,
                                                 int *width, int *height, struct vgg_error *err);

/* Decodes, resizes, crops, scales and normalises.
 *   out  as of vgg_image_to_tensor; undefined after an error
 * Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY. Threads: any, several for one file too. */
VGG_API vgg_status vgg_image_file_to_tensor(const vgg_image_file *file,
                                            const struct vgg_preprocess *preprocess, float *out,
                                            struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
