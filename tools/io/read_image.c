/* SPDX-License-Identifier: MIT */
/* An image, or an array in its place, from its file to the net's input. */
#include "io/read_image.h"

#include <limits.h>
#include <stdlib.h>

#include "io/files.h"
#include "io/message.h"

/* "[3,224,224]", as far as it fits. */
static void format_shape(const int64_t *shape, int ndim, char *out, size_t bytes)
{
    size_t length = 0;
    for (int i = 0; i < ndim && length < bytes; i++) {
        length += (size_t)snprintf(out + length, bytes - length, "%c%lld", i == 0 ? '[' : ',',
                                   (long long)shape[i]);
    }
    if (length < bytes) {
        snprintf(out + length, bytes - length, "]");
    }
}

static vgg_status fail_shape(const struct image_file *file, struct vgg_error *err)
{
    const struct image_reader *reader = file->reader;
    char expected[64], found[200];
    if (reader->height > 0) {
        snprintf(expected, sizeof expected, "%d,%d,%d", reader->channels, reader->height,
                 reader->width);
    } else {
        snprintf(expected, sizeof expected, "%d,height,width", reader->channels);
    }
    format_shape(file->array.shape, file->array.ndim, found, sizeof found);
    return message_fail(err, VGG_ERR_MISMATCH,
                        "%s: expected an array of [%s] or [1,%s], the net's input, got %s",
                        file->path, expected, expected, found);
}

static bool is_side(int64_t side, int expected)
{
    return side > 0 && side <= INT_MAX && (expected == 0 || side == expected);
}

static vgg_status open_array(struct image_file *file, struct vgg_error *err)
{
    const struct image_reader *reader = file->reader;
    vgg_status status = npy_reader_open(file->path, &file->array, err);
    if (status != VGG_OK) {
        return status;
    }
    const int ndim = file->array.ndim;
    const int64_t *shape = file->array.shape + (ndim == 4);
    if ((ndim != 3 && (ndim != 4 || file->array.shape[0] != 1)) || shape[0] != reader->channels ||
        !is_side(shape[1], reader->height) || !is_side(shape[2], reader->width)) {
        return fail_shape(file, err);
    }
    file->height = file->image_height = (int)shape[1];
    file->width = file->image_width = (int)shape[2];
    return VGG_OK;
}

static vgg_status open_image(struct image_file *file, struct vgg_error *err)
{
    const struct vgg_context context = {.limits = &file->reader->limits};
    vgg_status status = vgg_image_file_open(file->path, &context, &file->image, err);
    if (status != VGG_OK) {
        return status;
    }
    vgg_image_file_get_size(file->image, &file->image_width, &file->image_height);
    return vgg_image_file_get_input_size(file->image, file->reader->preprocess, &file->width,
                                         &file->height, err);
}

vgg_status image_open(const char *path, const struct image_reader *reader, struct image_file *out,
                      struct vgg_error *err)
{
    const enum file_kind kind = file_sniff(path);
    *out = (struct image_file){.path = path, .reader = reader, .is_array = kind == FILE_ARRAY};
    if (kind == FILE_FOLDER) {
        return message_fail(err, VGG_ERR_FORMAT, "%s: expected an image, got a folder", path);
    }
    if (out->is_array) {
        return open_array(out, err);
    }
    if (reader->channels != 1 && reader->channels != 3) {
        return message_fail(err, VGG_ERR_MISMATCH,
                            "%s: expected a .npy array: the net's input has %d channels, which no "
                            "image has",
                            path, reader->channels);
    }
    return open_image(out, err);
}

vgg_status image_make_input(struct image_file *file, float *out, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    if (!file->is_array) {
        return vgg_image_file_to_tensor(file->image, file->reader->preprocess, out, err);
    }
    for (int64_t row = 0; row < file->array.shape[0] && status == VGG_OK; row++) {
        status =
            npy_reader_read_row(&file->array, row, out + (size_t)row * file->array.row_count, err);
    }
    return status;
}

void image_close(struct image_file *file)
{
    vgg_image_file_close(file->image);
    npy_reader_close(&file->array);
}

vgg_status image_read(const char *path, const struct image_reader *reader, struct image_input *out,
                      struct vgg_error *err)
{
    struct image_file file;
    vgg_status status = image_open(path, reader, &file, err);
    *out = (struct image_input){.width = file.width, .height = file.height};
    if (status == VGG_OK) {
        out->tensor = malloc((size_t)out->width * (size_t)out->height * (size_t)reader->channels *
                             sizeof *out->tensor);
        status = out->tensor == NULL ? message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", path)
                                     : image_make_input(&file, out->tensor, err);
    }
    if (status != VGG_OK) {
        free(out->tensor);
        out->tensor = NULL;
    }
    image_close(&file);
    return status;
}

vgg_status image_read_sized(const char *path, const struct image_reader *reader,
                            const struct image_input *out, struct vgg_error *err)
{
    struct image_file file;
    vgg_status status = image_open(path, reader, &file, err);
    if (status == VGG_OK && (file.width != out->width || file.height != out->height)) {
        status =
            message_fail(err, VGG_ERR_MISMATCH,
                         "%s: expected an input of %dx%d pixels after preprocessing, got %dx%d",
                         path, out->width, out->height, file.width, file.height);
    }
    if (status == VGG_OK) {
        status = image_make_input(&file, out->tensor, err);
    }
    image_close(&file);
    return status;
}
