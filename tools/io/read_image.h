/* SPDX-License-Identifier: MIT */
/* An image, or an array in its place, from its file to the net's input. */
#ifndef TOOLS_IO_READ_IMAGE_H
#define TOOLS_IO_READ_IMAGE_H

#include "io/npy.h"
#include "vgg/image.h"
#include "vgg/preprocess.h"
#include "vgg/status.h"

/* How images become input of a net. */
struct image_reader {
    const struct vgg_preprocess *preprocess;
    /* Of the net's input. */
    int channels;
    /* The size of every input in pixels; 0: each image has its own. */
    int height, width;
    /* Of an image. */
    struct vgg_limits limits;
};

/* An image as input of a net. */
struct image_input {
    float *tensor; /* [channels][height][width] */
    int width, height;
};

/* A file that is open: a JPEG or PNG image, or a .npy array that is the input already. */
struct image_file {
    const char *path;
    const struct image_reader *reader;
    vgg_image_file *image; /* NULL: an array */
    struct npy_reader array;
    bool is_array;
    /* Of the input, in pixels. */
    int width, height;
    /* Of the file. */
    int image_width, image_height;
};

/* Opens an image, of which the header is read, or an array of float32 [channels,height,width] or [1,channels,height,width].
 *   out  filled, to be closed with image_close in any case
 * Errors: those of vgg_image_file_open and npy_reader_open; MISMATCH (an array of another size; an image for a net that
 * takes no images). */
vgg_status image_open(const char *path, const struct image_reader *reader, struct image_file *out,
                      struct vgg_error *err);
/* Makes the input of it: decodes an image.
 *   out  [channels][height][width] */
vgg_status image_make_input(struct image_file *file, float *out, struct vgg_error *err);
void image_close(struct image_file *file);

/* All of this for one image.
 *   out  its tensor is to be freed by the caller; NULL after an error */
vgg_status image_read(const char *path, const struct image_reader *reader, struct image_input *out,
                      struct vgg_error *err);

/* The same into the tensor of out. An image of another size than out after preprocessing, possible if there is
 * no crop, fails with MISMATCH. */
vgg_status image_read_sized(const char *path, const struct image_reader *reader,
                            const struct image_input *out, struct vgg_error *err);

#endif
