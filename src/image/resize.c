/* SPDX-License-Identifier: MIT */
/* Pillow's antialiased bilinear resize for 8-bit RGB, with the same values.
 *
 * The horizontal pass comes first. (Pillow 12.2 and later begin with the vertical pass if the image is over 100 times as
 * high as wide; all earlier versions use this order.) Each output pixel is a weighted sum of the input pixels under a
 * triangle, which is two output pixels wide, or two input pixels when enlarging. The weights are computed in double
 * precision, rounded to 22 fractional bits and summed in 32-bit integers; each pass rounds to 8 bits. */
#include "image/resize.h"

#include <string.h>

#include "base/mem.h"
#include "image/image.h"

/* 32 bits, minus 8 for the pixel and 2 to spare, because the weights of a pixel add up to 1 only within rounding. */
#define FRACTION_BITS 22

/* The weights with which an axis of `from` pixels is resized to `to`, for `count` output pixels. */
struct axis {
    int count;
    int max_taps;
    /* [count]: the first input pixel, and the number of input pixels; start + taps <= from */
    int *start, *taps;
    /* [count][max_taps] */
    int32_t *weights;
};

static void axis_destroy(const struct vgg_allocator *allocator, struct axis *axis)
{
    vgg_mem_free(allocator, axis->start);
    vgg_mem_free(allocator, axis->taps);
    vgg_mem_free(allocator, axis->weights);
}

static double triangle(double x)
{
    x = x < 0.0 ? -x : x;
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Computes the weights in Pillow's order of operations, because each rounding of a double matters. The axis must be
 * destroyed even after an error. */
static vgg_status axis_create(int from, int to, int first, int count,
                              const struct vgg_allocator *allocator, struct axis *axis,
                              struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    double scale = (double)from / to;
    /* Half the triangle's base, in input pixels. */
    double support = scale < 1.0 ? 1.0 : scale;
    double inverse = 1.0 / support;
    double *exact = NULL;
    size_t total, bytes;

    *axis = (struct axis){.count = count};
    axis->max_taps = (int)(support < from ? support : from) * 2 + 3;
    axis->max_taps = axis->max_taps < from ? axis->max_taps : from;
    if (!vgg_size_mul((size_t)count, (size_t)axis->max_taps, &total) ||
        !vgg_size_mul(total, sizeof *axis->weights, &bytes)) {
        return vgg_fail_memory(err, "resize", SIZE_MAX, "weights");
    }
    axis->start = vgg_mem_alloc(allocator, (size_t)count, sizeof *axis->start);
    axis->taps = vgg_mem_alloc(allocator, (size_t)count, sizeof *axis->taps);
    axis->weights = vgg_mem_alloc(allocator, bytes, 1);
    exact = vgg_mem_alloc(allocator, (size_t)axis->max_taps, sizeof *exact);
    if (axis->start == NULL || axis->taps == NULL || axis->weights == NULL || exact == NULL) {
        status = vgg_fail_memory(err, "resize", bytes, "weights");
        goto done;
    }
    for (int i = 0; i < count; i++) {
        double center = (first + i + 0.5) * scale;
        double low = center - support + 0.5, high = center + support + 0.5;
        int start = low < 0.0 ? 0 : (int)low;
        int taps = (high > from ? from : (int)high) - start;
        int32_t *weights = axis->weights + (size_t)i * (size_t)axis->max_taps;
        double sum = 0.0;
        for (int k = 0; k < taps; k++) {
            exact[k] = triangle((k + start - center + 0.5) * inverse);
            sum += exact[k];
        }
        for (int k = 0; k < taps; k++) {
            weights[k] = (int32_t)(0.5 + exact[k] / sum * (1 << FRACTION_BITS));
        }
        axis->start[i] = start;
        axis->taps[i] = taps;
    }
done:
    vgg_mem_free(allocator, exact);
    return status;
}

static uint8_t to_byte(int32_t sum)
{
    sum = (sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

/* Resizes one row from in [from][3] to out [axis->count][3]. Vectors of four taps are not faster, because baseline x86 has
 * no 32-bit vector multiplication. */
static void resize_row(const struct axis *axis, const uint8_t *in, uint8_t *out)
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

/* Computes one output row of `bytes` bytes from `taps` input rows, in_stride bytes apart.
 *   sums  [bytes], scratch */
static void resize_column(const int32_t *weights, int taps, const uint8_t *in, size_t in_stride,
                          size_t bytes, int32_t *restrict sums, uint8_t *restrict out)
{
    memset(sums, 0, bytes * sizeof *sums);
    for (int k = 0; k < taps; k++, in += in_stride) {
        int32_t weight = weights[k];
        for (size_t i = 0; i < bytes; i++) {
            sums[i] += in[i] * weight;
        }
    }
    for (size_t i = 0; i < bytes; i++) {
        out[i] = to_byte(sums[i]);
    }
}

/* The vertical pass: computes axis->count rows of row_bytes.
 *   in  the rows from axis->start[0] on, in_stride bytes apart
 * Errors: MEMORY. */
static vgg_status resize_columns(const struct axis *axis, const uint8_t *in, size_t in_stride,
                                 size_t row_bytes, uint8_t *out, size_t out_stride,
                                 const struct vgg_allocator *allocator, struct vgg_error *err)
{
    int32_t *sums = vgg_mem_alloc(allocator, row_bytes, sizeof *sums);
    if (sums == NULL) {
        return vgg_fail_memory(err, "resize", row_bytes * sizeof *sums, "one row");
    }
    for (int y = 0; y < axis->count; y++) {
        resize_column(axis->weights + (size_t)y * (size_t)axis->max_taps, axis->taps[y],
                      in + (size_t)(axis->start[y] - axis->start[0]) * in_stride, in_stride,
                      row_bytes, sums, out + (size_t)y * out_stride);
    }
    vgg_mem_free(allocator, sums);
    return VGG_OK;
}

vgg_status vgg_resize_window(const struct vgg_image *image, int width, int height,
                             const struct vgg_window *window, uint8_t *out, size_t out_stride,
                             struct vgg_error *err)
{
    const struct vgg_allocator *allocator = &image->allocator;
    const size_t image_stride = (size_t)image->width * 3, row_bytes = (size_t)window->width * 3;
    const bool across = width != image->width, down = height != image->height;
    vgg_status status = VGG_OK;
    struct axis columns = {0}, rows = {0};
    /* The horizontally resized rows that the vertical pass reads. */
    uint8_t *between = NULL;
    int first_row = window->y, row_count = window->height;

    if (across) {
        status =
            axis_create(image->width, width, window->x, window->width, allocator, &columns, err);
    }
    if (status == VGG_OK && down) {
        status =
            axis_create(image->height, height, window->y, window->height, allocator, &rows, err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    if (down) {
        first_row = rows.start[0];
        row_count = rows.start[rows.count - 1] + rows.taps[rows.count - 1] - first_row;
    }

    /* The rows that the vertical pass reads: the image's own, or horizontally resized ones, which go to `out` if there is
     * no vertical pass. */
    const uint8_t *in = image->rgb + (size_t)first_row * image_stride;
    const uint8_t *source = in + (size_t)window->x * 3;
    size_t source_stride = image_stride;
    if (across) {
        uint8_t *target = out;
        source_stride = out_stride;
        if (down) {
            size_t bytes;
            source_stride = row_bytes;
            if (!vgg_size_mul((size_t)row_count, row_bytes, &bytes)) {
                bytes = SIZE_MAX;
            }
            target = between = vgg_mem_alloc(allocator, bytes, 1);
            if (between == NULL) {
                status = vgg_fail_memory(err, "resize", bytes, "rows between the passes");
                goto done;
            }
        }
        for (int y = 0; y < row_count; y++) {
            resize_row(&columns, in + (size_t)y * image_stride, target + (size_t)y * source_stride);
        }
        source = target;
    }
    if (down) {
        status = resize_columns(&rows, source, source_stride, row_bytes, out, out_stride, allocator,
                                err);
    } else if (!across) {
        for (int y = 0; y < row_count; y++) {
            memcpy(out + (size_t)y * out_stride, source + (size_t)y * source_stride, row_bytes);
        }
    }
done:
    vgg_mem_free(allocator, between);
    axis_destroy(allocator, &rows);
    axis_destroy(allocator, &columns);
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
    vgg_status status = vgg_image_create("resize", (uint64_t)width, (uint64_t)height, UINT64_MAX,
                                         &image->allocator, &resized, err);
    if (status == VGG_OK) {
        const struct vgg_window all = {.width = width, .height = height};
        status = vgg_resize_window(image, width, height, &all, resized.rgb, (size_t)width * 3, err);
        if (status == VGG_OK) {
            *out = resized;
        } else {
            vgg_image_destroy(&resized);
        }
    }
    return status;
}
