/* SPDX-License-Identifier: MIT */
/* Image files: open with the size known, decoded to pixels or straight to the net's input. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "image/decode.h"
#include "image/preprocess.h"

struct vgg_image_file {
    struct vgg_file file;
    struct vgg_limits limits;
    struct vgg_allocator allocator;
    int width, height;
    /* For messages. */
    char name[];
};

/* Decodes the file's rows into the sink, with the limits from the beginning.
 *   job  receives the size */
static vgg_status read_rows(const vgg_image_file *file, const struct vgg_row_sink *sink,
                            struct vgg_image_job *job, struct vgg_error *err)
{
    const struct vgg_image_bytes bytes = {file->file.data, file->file.size};
    *job = vgg_image_job_make(file->name, &file->limits, &file->allocator);
    return vgg_image_read_rows(job, &bytes, sink, err);
}

/* --- opening --- */

static vgg_status begin_nothing(void *user, struct vgg_image_job *job, struct vgg_error *err)
{
    (void)user;
    (void)job;
    (void)err;
    return VGG_OK;
}

static vgg_status read_header(vgg_image_file *file, struct vgg_error *err)
{
    const struct vgg_row_sink sink = {begin_nothing, NULL, NULL};
    struct vgg_image_job job;
    if (file->file.size > file->limits.image_file_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: image of %zu bytes, limit is %llu", file->name,
                        file->file.size, (unsigned long long)file->limits.image_file_bytes);
    }
    vgg_status status = read_rows(file, &sink, &job, err);
    file->width = job.width;
    file->height = job.height;
    return status;
}

/* A file without bytes. Errors: MEMORY. */
static vgg_status create(const char *name, const struct vgg_context *context, vgg_image_file **out,
                         struct vgg_error *err)
{
    const size_t bytes = sizeof(vgg_image_file) + strlen(name) + 1;
    vgg_image_file *file = vgg_mem_alloc_cleared(vgg_allocator_of(context), bytes, 1);
    if (file == NULL) {
        return vgg_fail_memory(err, name, bytes, "its name");
    }
    vgg_limits_take(context, &file->limits);
    if (context != NULL) {
        file->allocator = context->allocator;
    }
    memcpy(file->name, name, strlen(name) + 1);
    *out = file;
    return VGG_OK;
}

/* Gives away a file whose header can be read, or closes it. */
static vgg_status finish(vgg_image_file *file, vgg_status status, vgg_image_file **out,
                         struct vgg_error *err)
{
    status = status ? status : read_header(file, err);
    if (status == VGG_OK) {
        *out = file;
    } else {
        vgg_image_file_close(file);
    }
    return status;
}

vgg_status vgg_image_file_open(const char *path, const struct vgg_context *context,
                               vgg_image_file **out, struct vgg_error *err)
{
    vgg_image_file *file;
    if (path == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "image: expected a path and a place for the result");
    }
    vgg_status status =
        create(strcmp(path, "-") == 0 ? "standard input" : path, context, &file, err);
    if (status != VGG_OK) {
        return status;
    }
    /* Read instead of mapped, so that pipes work and a file that is truncated meanwhile does no harm. */
    status = vgg_file_read(path, file->limits.image_file_bytes, &file->allocator, &file->file, err);
    return finish(file, status, out, err);
}

vgg_status vgg_image_file_open_memory(const void *bytes, size_t count, const char *name,
                                      const struct vgg_context *context, vgg_image_file **out,
                                      struct vgg_error *err)
{
    vgg_image_file *file;
    if ((bytes == NULL && count > 0) || name == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "image: expected bytes, a name and a place for the result");
    }
    vgg_status status = create(name, context, &file, err);
    if (status != VGG_OK) {
        return status;
    }
    vgg_file_borrow(bytes, count, &file->file);
    return finish(file, VGG_OK, out, err);
}

void vgg_image_file_close(vgg_image_file *file)
{
    if (file != NULL) {
        const struct vgg_allocator allocator = file->allocator;
        vgg_file_close(&file->file);
        vgg_mem_free(&allocator, file);
    }
}

void vgg_image_file_get_size(const vgg_image_file *file, int *width, int *height)
{
    *width = file->width;
    *height = file->height;
}

/* --- to the net's input --- */

vgg_status vgg_image_file_get_input_size(const vgg_image_file *file,
                                         const struct vgg_preprocess *preprocess, int *width,
                                         int *height, struct vgg_error *err)
{
    struct vgg_placement placement = {0};
    struct vgg_image_job job = vgg_image_job_make(file->name, &file->limits, &file->allocator);
    job.width = file->width;
    job.height = file->height;
    vgg_status status = vgg_placement_make(&job, preprocess, &placement, err);
    if (status == VGG_OK) {
        *width = placement.out_width;
        *height = placement.out_height;
    }
    return status;
}

vgg_status vgg_image_file_to_tensor(const vgg_image_file *file,
                                    const struct vgg_preprocess *preprocess, float *out,
                                    struct vgg_error *err)
{
    if (file == NULL || preprocess == NULL || out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "tensor: expected an image, a preset and memory for the result");
    }
    struct vgg_preprocessing preprocessing = {.preprocess = preprocess, .tensor = out};
    const struct vgg_row_sink sink = vgg_preprocessing_sink(&preprocessing);
    struct vgg_image_job job;
    vgg_status status = read_rows(file, &sink, &job, err);
    vgg_preprocessing_destroy(&preprocessing);
    return status;
}

/* --- to pixels --- */

/* An image that is filled from the top. */
struct filling {
    struct vgg_image image;
    size_t used; /* bytes */
};

static vgg_status begin_image(void *user, struct vgg_image_job *job, struct vgg_error *err)
{
    struct filling *filling = user;
    return vgg_image_create(job, &filling->image, err);
}

static void take_row(void *user, const uint8_t *rgb)
{
    struct filling *filling = user;
    const size_t bytes = (size_t)filling->image.width * 3;
    memcpy(filling->image.rgb + filling->used, rgb, bytes);
    filling->used += bytes;
}

/* Decodes the whole image and closes the file. */
static vgg_status decode_all(vgg_image_file *file, struct vgg_image *out, struct vgg_error *err)
{
    struct filling filling = {0};
    const struct vgg_row_sink sink = {begin_image, take_row, &filling};
    struct vgg_image_job job;
    vgg_status status = read_rows(file, &sink, &job, err);
    if (status == VGG_OK) {
        *out = filling.image;
    } else {
        vgg_image_destroy(&filling.image);
    }
    vgg_image_file_close(file);
    return status;
}

vgg_status vgg_image_decode(const void *bytes, size_t count, const char *name,
                            const struct vgg_context *context, struct vgg_image *out,
                            struct vgg_error *err)
{
    vgg_image_file *file;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_image_decode: NULL argument");
    }
    vgg_status status = vgg_image_file_open_memory(bytes, count, name, context, &file, err);
    return status ? status : decode_all(file, out, err);
}

vgg_status vgg_image_open(const char *path, const struct vgg_context *context,
                          struct vgg_image *out, struct vgg_error *err)
{
    vgg_image_file *file;
    if (out == NULL) {
        return vgg_fail(err, VGG_ERR_ARGUMENT, "vgg_image_open: NULL argument");
    }
    vgg_status status = vgg_image_file_open(path, context, &file, err);
    return status ? status : decode_all(file, out, err);
}
