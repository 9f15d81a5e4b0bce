/* SPDX-License-Identifier: MIT */
/* Pillow's antialiased bilinear resize for 8-bit RGB, value for value.
 *
 * One axis at a time, horizontal first (Pillow 12.2 and later start with the vertical one when the
 * picture is over 100 times as high as wide; this is the order of all before it). Each output pixel is
 * a weighted sum of the input pixels under a triangle as wide as two output pixels, or two input pixels
 * when enlarging. The weights are computed in double precision, rounded to 22 fractional bits, summed
 * in 32-bit integers; each pass rounds to 8 bits. */
#include "image/resize.h"

#include <string.h>

#include "base/mem.h"
#include "image/image.h"

/* 32 bits less 8 for the pixel and 2 to spare: weights of one pixel add up to 1 within rounding. */
#define FRACTION_BITS 22

/* How the pixels [first, first + count) of an axis of `to` pixels are made of one of `from`. */
struct axis {
    int from, to, first, count;
    /* Set by axis_create. */
    int max_taps;
    int *start;       /* [count]: first input pixel */
    int *taps;        /* [count]: number of input pixels; start + taps <= from */
    int32_t *weights; /* [count][max_taps] */
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

/* Computes the weights. Follows Pillow's order of operations: each rounding of a double counts. The axis is to be
 * destroyed after an error too. */
static vgg_status axis_create(struct axis *axis, const struct vgg_allocator *allocator,
                              struct vgg_error *err)
{
    const int from = axis->from, count = axis->count;
    vgg_status status = VGG_OK;
    double scale = (double)from / axis->to;
    double support = scale < 1.0 ? 1.0 : scale; /* half the triangle's base, in input pixels */
    double inverse = 1.0 / support;
    double *exact = NULL;
    size_t total, bytes;

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
        double center = (axis->first + i + 0.5) * scale;
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

/* One row: in [from][3] -> out [axis->count][3]. Four taps at a time in vectors are no faster: baseline
 * x86 has no 32-bit multiply for them. */
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

/* The vertical pass. */
struct columns {
    const struct axis *axis;
    const uint8_t *in; /* the rows from axis->start[0] on */
    size_t in_stride;  /* from one to the next */
    size_t row_bytes;
};

/* Adds the weighted input rows of output row y.
 *   sums  [row_bytes] */
static void sum_rows(const struct columns *columns, int y, int32_t *restrict sums)
{
    const struct axis *axis = columns->axis;
    const int32_t *weights = axis->weights + (size_t)y * (size_t)axis->max_taps;
    const size_t bytes = columns->row_bytes;
    const uint8_t *in =
        columns->in + (size_t)(axis->start[y] - axis->start[0]) * columns->in_stride;
    memset(sums, 0, bytes * sizeof *sums);
    for (int k = 0; k < axis->taps[y]; k++, in += columns->in_stride) {
        int32_t weight = weights[k];
        for (size_t i = 0; i < bytes; i++) {
            sums[i] += in[i] * weight;
        }
    }
}

static void round_row(const int32_t *restrict sums, size_t bytes, uint8_t *restrict out)
{
    for (size_t i = 0; i < bytes; i++) {
        out[i] = to_byte(sums[i]);
    }
}

/* Errors: MEMORY. */
static vgg_status resize_columns(const struct columns *columns, struct vgg_rows out,
                                 const struct vgg_allocator *allocator, struct vgg_error *err)
{
    int32_t *sums = vgg_mem_alloc(allocator, columns->row_bytes, sizeof *sums);
    if (sums == NULL) {
        return vgg_fail_memory(err, "resize", columns->row_bytes * sizeof *sums, "one row");
    }
    for (int y = 0; y < columns->axis->count; y++) {
        sum_rows(columns, y, sums);
        round_row(sums, columns->row_bytes, out.first + (size_t)y * out.stride);
    }
    vgg_mem_free(allocator, sums);
    return VGG_OK;
}

vgg_status vgg_resize_window(const struct vgg_image *image, const struct vgg_resized_part *part,
                             struct vgg_rows out, struct vgg_error *err)
{
    const struct vgg_allocator *allocator = &image->allocator;
    const struct vgg_window *window = &part->window;
    const size_t image_stride = (size_t)image->width * 3, row_bytes = (size_t)window->width * 3;
    const bool across = part->width != image->width, down = part->height != image->height;
    vgg_status status = VGG_OK;
    struct axis columns = {image->width, part->width, window->x, window->width, .start = NULL};
    struct axis rows = {image->height, part->height, window->y, window->height, .start = NULL};
    uint8_t *between = NULL; /* the horizontally resized rows that the vertical pass needs */
    int first_row = window->y, row_count = window->height;

    if (across) {
        status = axis_create(&columns, allocator, err);
    }
    if (status == VGG_OK && down) {
        status = axis_create(&rows, allocator, err);
    }
    if (status != VGG_OK) {
        goto done;
    }
    if (down) {
        first_row = rows.start[0];
        row_count = rows.start[rows.count - 1] + rows.taps[rows.count - 1] - first_row;
    }

    /* The rows the vertical pass reads: the picture's own, or resized ones, in `out` when they are
     * the result already. */
    const uint8_t *in = image->rgb + (size_t)first_row * image_stride;
    const uint8_t *source = in + (size_t)window->x * 3;
    size_t source_stride = image_stride;
    if (across) {
        uint8_t *target = out.first;
        source_stride = out.stride;
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
        const struct columns pass = {&rows, source, source_stride, row_bytes};
        status = resize_columns(&pass, out, allocator, err);
    } else if (!across) {
        for (int y = 0; y < row_count; y++) {
            memcpy(out.first + (size_t)y * out.stride, source + (size_t)y * source_stride,
                   row_bytes);
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
                        "resize: expected a picture and a size of at least 1 x 1");
    }
    const struct vgg_image_request request = {"resize", UINT64_MAX, &image->allocator};
    vgg_status status =
        vgg_image_create(&request, (uint64_t)width, (uint64_t)height, &resized, err);
    if (status == VGG_OK) {
        const struct vgg_resized_part all = {width, height, {.width = width, .height = height}};
        const struct vgg_rows target = {resized.rgb, (size_t)width * 3};
        status = vgg_resize_window(image, &all, target, err);
        if (status == VGG_OK) {
            *out = resized;
        } else {
            vgg_image_destroy(&resized);
        }
    }
    return status;
}
