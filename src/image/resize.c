/* SPDX-License-Identifier: MIT */
/* Pillow's resize of 8-bit pixels, value for value.
 *
 * One axis at a time, horizontal first (Pillow 12.2 and later start with the vertical one when the image is over 100
 * times as high as wide; this is the order of all before it). Each output pixel is a weighted sum of input pixels; the
 * weights are those of axis.c. Sums have 32 bits, and each pass rounds to 8 bits. */
#include "image/resize.h"

#include <string.h>

#include "base/mem.h"
#include "image/axis.h"
#include "image/image.h"

static uint8_t to_byte(int32_t sum)
{
    sum = (sum + (1 << (VGG_WEIGHT_BITS - 1))) >> VGG_WEIGHT_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One row: in [from][3] -> out [axis->count][3]. Four taps at a time in vectors are no faster: baseline
 * x86 has no 32-bit multiply for them. */
static void resize_row_rgb(const struct vgg_axis *axis, const uint8_t *in, uint8_t *out)
{
    for (int i = 0; i < axis->count; i++, out += 3) {
        const uint8_t *pixel = in + (size_t)axis->start[i] * 3;
        const int32_t *weights = axis->weights + (size_t)i * (size_t)axis->max_taps;
        int32_t r = 0, g = 0, b = 0;
        for (int k = 0; k < axis->taps[i]; k++, pixel += 3) {
            r += pixel[0] * weights[k];
            g += pixel[1] * weights[k];
            b += pixel[2] * weights[k];
        }
        out[0] = to_byte(r);
        out[1] = to_byte(g);
        out[2] = to_byte(b);
    }
}

/* The same for one channel. */
static void resize_row_gray(const struct vgg_axis *axis, const uint8_t *in, uint8_t *out)
{
    for (int i = 0; i < axis->count; i++) {
        const uint8_t *pixel = in + axis->start[i];
        const int32_t *weights = axis->weights + (size_t)i * (size_t)axis->max_taps;
        int32_t sum = 0;
        for (int k = 0; k < axis->taps[i]; k++) {
            sum += pixel[k] * weights[k];
        }
        out[i] = to_byte(sum);
    }
}

/* Rows of pixels, `stride` bytes apart. */
struct rows {
    const uint8_t *data;
    size_t stride;
};

/* The weights of the input rows that make an output row. */
struct taps {
    const int32_t *weights; /* [count] */
    int count;
};

/* One output row of `bytes` bytes from the first rows of `rows`.
 *   sums  [bytes], scratch */
static void resize_column(const struct taps *taps, const struct rows *rows, size_t bytes,
                          int32_t *restrict sums, uint8_t *restrict out)
{
    const uint8_t *in = rows->data;
    memset(sums, 0, bytes * sizeof *sums);
    for (int k = 0; k < taps->count; k++, in += rows->stride) {
        int32_t weight = taps->weights[k];
        for (size_t i = 0; i < bytes; i++) {
            sums[i] += in[i] * weight;
        }
    }
    for (size_t i = 0; i < bytes; i++) {
        out[i] = to_byte(sums[i]);
    }
}

/* Both passes of one resize. */
struct passes {
    const struct vgg_raster *image;
    const struct vgg_resizing *resizing;
    /* What the passes compute; of an axis that keeps its size nothing is. */
    bool across, down;
    struct vgg_axis columns, rows;
    /* The input rows that are read. */
    int first_row, row_count;
    /* Of a row of the window. */
    size_t row_bytes;
    /* The horizontally resized rows that the vertical pass reads; NULL: none. */
    uint8_t *between;
};

static vgg_status create_axes(struct passes *p, struct vgg_error *err)
{
    const struct vgg_resizing *resizing = p->resizing;
    const struct vgg_rectangle *window = &resizing->window;
    const struct vgg_axis_part x = {p->image->width, resizing->width, window->x, window->width};
    const struct vgg_axis_part y = {p->image->height, resizing->height, window->y, window->height};
    vgg_status status = VGG_OK;
    if (p->across) {
        status =
            vgg_axis_create(&x, resizing->interpolation, resizing->allocator, &p->columns, err);
    }
    if (status == VGG_OK && p->down) {
        status = vgg_axis_create(&y, resizing->interpolation, resizing->allocator, &p->rows, err);
    }
    p->first_row = window->y;
    p->row_count = window->height;
    if (status == VGG_OK && p->down) {
        const int last = p->rows.count - 1;
        p->first_row = p->rows.start[0];
        p->row_count = p->rows.start[last] + p->rows.taps[last] - p->first_row;
    }
    return status;
}

/* The rows of the window before the vertical pass: the image's own, or resized ones, in `out` when they are the result
 * already. */
static vgg_status resize_rows(struct passes *p, uint8_t *out, size_t out_stride, struct rows *rows,
                              struct vgg_error *err)
{
    const struct vgg_raster *image = p->image;
    const size_t channels = (size_t)image->channels, stride = (size_t)image->width * channels;
    const uint8_t *in = image->data + (size_t)p->first_row * stride;
    *rows = (struct rows){in + (size_t)p->resizing->window.x * channels, stride};
    if (!p->across) {
        return VGG_OK;
    }
    *rows = (struct rows){out, out_stride};
    if (p->down) {
        const size_t bytes = vgg_size_mul_capped((size_t)p->row_count, p->row_bytes);
        out = p->between = vgg_mem_alloc(p->resizing->allocator, bytes, 1);
        if (out == NULL) {
            return vgg_fail_memory(err, "resize", bytes, "rows between the passes");
        }
        *rows = (struct rows){out, p->row_bytes};
    }
    for (int y = 0; y < p->row_count; y++) {
        (channels == 3 ? resize_row_rgb : resize_row_gray)(&p->columns, in + (size_t)y * stride,
                                                           out + (size_t)y * rows->stride);
    }
    return VGG_OK;
}

/* The vertical pass.
 * Errors: MEMORY. */
static vgg_status resize_columns(const struct passes *p, const struct rows *in, uint8_t *out,
                                 size_t out_stride, struct vgg_error *err)
{
    const struct vgg_axis *axis = &p->rows;
    int32_t *sums = vgg_mem_alloc(p->resizing->allocator, p->row_bytes, sizeof *sums);
    if (sums == NULL) {
        return vgg_fail_memory(err, "resize", p->row_bytes * sizeof *sums, "one row");
    }
    for (int y = 0; y < axis->count; y++) {
        const struct taps taps = {axis->weights + (size_t)y * (size_t)axis->max_taps,
                                  axis->taps[y]};
        const struct rows rows = {in->data + (size_t)(axis->start[y] - axis->start[0]) * in->stride,
                                  in->stride};
        resize_column(&taps, &rows, p->row_bytes, sums, out + (size_t)y * out_stride);
    }
    vgg_mem_free(p->resizing->allocator, sums);
    return VGG_OK;
}

static vgg_status run(struct passes *p, uint8_t *out, size_t out_stride, struct vgg_error *err)
{
    struct rows rows;
    vgg_status status = create_axes(p, err);
    status = status ? status : resize_rows(p, out, out_stride, &rows, err);
    if (status == VGG_OK && p->down) {
        return resize_columns(p, &rows, out, out_stride, err);
    }
    for (int y = 0; status == VGG_OK && !p->across && y < p->row_count; y++) {
        memcpy(out + (size_t)y * out_stride, rows.data + (size_t)y * rows.stride, p->row_bytes);
    }
    return status;
}

vgg_status vgg_resize_window(const struct vgg_raster *image, const struct vgg_resizing *resizing,
                             uint8_t *out, size_t out_stride, struct vgg_error *err)
{
    struct passes passes = {
        .image = image,
        .resizing = resizing,
        .across = resizing->width != image->width,
        .down = resizing->height != image->height,
        .row_bytes = (size_t)resizing->window.width * (size_t)image->channels,
    };
    vgg_status status = run(&passes, out, out_stride, err);
    vgg_mem_free(resizing->allocator, passes.between);
    vgg_axis_destroy(resizing->allocator, &passes.rows);
    vgg_axis_destroy(resizing->allocator, &passes.columns);
    return status;
}

vgg_status vgg_image_resize(const struct vgg_image *image, int width, int height,
                            struct vgg_image *out, struct vgg_error *err)
{
    struct vgg_image resized;
    if (image == NULL || image->rgb == NULL || out == NULL || width <= 0 || height <= 0) {
        return vgg_fail(err, VGG_ERR_ARGUMENT,
                        "resize: expected an image and a size of at least 1 x 1");
    }
    const struct vgg_image_request request = {"resize", UINT64_MAX, &image->allocator};
    vgg_status status =
        vgg_image_create(&request, (uint64_t)width, (uint64_t)height, &resized, err);
    if (status == VGG_OK) {
        const struct vgg_raster pixels = {image->rgb, image->width, image->height, 3};
        const struct vgg_resizing resizing = {.width = width,
                                              .height = height,
                                              .window = {.width = width, .height = height},
                                              .allocator = &image->allocator};
        status = vgg_resize_window(&pixels, &resizing, resized.rgb, (size_t)width * 3, err);
        if (status == VGG_OK) {
            *out = resized;
        } else {
            vgg_image_destroy(&resized);
        }
    }
    return status;
}
