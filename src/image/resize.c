/* SPDX-License-Identifier: MIT */
/* Pillow's resize of 8-bit pixels, value for value.
 *
 * One axis at a time, horizontal first (Pillow 12.2 and later start with the vertical one when the image is over 100
 * times as high as wide; this is the order of all before it). Each output pixel is a weighted sum of input pixels; the
 * weights are those of axis.c. Sums have 32 bits, and each pass rounds to 8 bits.
 *
 * An input row is resized horizontally and added to the sums of the output rows that it is part of: two or three when an
 * image is made smaller with the bilinear filter. So it does not matter how high the image is. */
#include "image/resize.h"

#include <string.h>

#include "base/mem.h"

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

/* Adds a row of the window, weighted, to the sums of one that it is part of. */
static void add_weighted(const uint8_t *restrict row, int32_t weight, size_t count,
                         int32_t *restrict sums)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] += row[i] * weight;
    }
}

/* --- preparation --- */

/* The most rows of the window that are unfinished at a time: begun by an input row and not all of its taps seen. */
static int count_open_rows(const struct vgg_axis *axis)
{
    int most = 1, first = 0;
    for (int i = 0; i < axis->count; i++) {
        while (axis->start[first] + axis->taps[first] <= axis->start[i]) {
            first++;
        }
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    return most;
}

static uint64_t count_taps(const struct vgg_axis *axis)
{
    uint64_t taps = 0;
    for (int i = 0; i < axis->count; i++) {
        taps += (uint64_t)axis->taps[i];
    }
    return taps;
}

static vgg_status create_axes(struct vgg_image_job *job, struct vgg_resizer *r,
                              struct vgg_error *err)
{
    const struct vgg_rectangle *window = &r->resizing.window;
    const enum vgg_interpolation interpolation = r->resizing.interpolation;
    const struct vgg_axis_part x = {job->width, r->resizing.width, window->x, window->width};
    const struct vgg_axis_part y = {job->height, r->resizing.height, window->y, window->height};
    vgg_status status = VGG_OK;
    if (r->across) {
        status = vgg_axis_create(job, &x, interpolation, &r->columns, err);
    }
    if (status == VGG_OK && r->down) {
        status = vgg_axis_create(job, &y, interpolation, &r->rows, err);
    }
    r->first_row = window->y;
    r->end_row = window->y + window->height;
    if (status == VGG_OK && r->down) {
        const int last = r->rows.count - 1;
        r->first_row = r->rows.start[0];
        r->end_row = r->rows.start[last] + r->rows.taps[last];
    }
    return status;
}

static vgg_status check_steps(const struct vgg_image_job *job, const struct vgg_resizer *r,
                              struct vgg_error *err)
{
    uint64_t steps = 0;
    if (r->across) {
        steps += count_taps(&r->columns) * (uint64_t)(r->end_row - r->first_row);
    }
    if (r->down) {
        steps += count_taps(&r->rows) * (uint64_t)r->resizing.window.width;
    }
    return vgg_image_check_steps(job, steps, "resizing it", err);
}

static vgg_status allocate(struct vgg_image_job *job, struct vgg_resizer *r, struct vgg_error *err)
{
    void *row = NULL, *sums = NULL;
    vgg_status status = VGG_OK;
    if (r->across) {
        status = vgg_image_alloc(job, r->row_count, "a resized row", &row, err);
        r->row = row;
    }
    if (status == VGG_OK && r->down) {
        r->sum_rows = count_open_rows(&r->rows);
        const uint64_t count = (uint64_t)r->sum_rows * r->row_count;
        status = vgg_image_alloc(job, count * sizeof *r->sums, "the resized rows that are begun",
                                 &sums, err);
        r->sums = sums;
    }
    if (status == VGG_OK && r->down) {
        memset(sums, 0, (size_t)r->sum_rows * r->row_count * sizeof *r->sums);
    }
    return status;
}

vgg_status vgg_resizer_create(struct vgg_image_job *job, const struct vgg_resizing *resizing,
                              const struct vgg_resized *resized, struct vgg_resizer *out,
                              struct vgg_error *err)
{
    *out = (struct vgg_resizer){
        .resizing = *resizing,
        .out = *resized,
        .allocator = job->allocator,
        .across = resizing->width != job->width,
        .down = resizing->height != job->height,
        .row_count = (size_t)resizing->window.width * (size_t)resizing->channels,
    };
    vgg_status status = create_axes(job, out, err);
    status = status ? status : check_steps(job, out, err);
    return status ? status : allocate(job, out, err);
}

void vgg_resizer_destroy(struct vgg_resizer *resizer)
{
    vgg_mem_free(resizer->allocator, resizer->row);
    vgg_mem_free(resizer->allocator, resizer->sums);
    vgg_axis_destroy(resizer->allocator, &resizer->rows);
    vgg_axis_destroy(resizer->allocator, &resizer->columns);
}

/* --- rows --- */

bool vgg_resizer_needs_row(const struct vgg_resizer *resizer)
{
    return resizer->input >= resizer->first_row && resizer->input < resizer->end_row;
}

/* The horizontal pass: the window's columns of an input row. */
static const uint8_t *resize_across(struct vgg_resizer *r, const uint8_t *in)
{
    if (!r->across) {
        return in + (size_t)r->resizing.window.x * (size_t)r->resizing.channels;
    }
    (r->resizing.channels == 3 ? resize_row_rgb : resize_row_gray)(&r->columns, in, r->row);
    return r->row;
}

/* Rounds the sums of a finished row in their place, and clears them for the row that comes there next. */
static void finish_row(struct vgg_resizer *r, int y, int32_t *sums)
{
    uint8_t *bytes = (uint8_t *)sums;
    for (size_t i = 0; i < r->row_count; i++) {
        const uint8_t byte = to_byte(sums[i]);
        bytes[i] = byte;
    }
    r->out.put(r->out.user, y, bytes);
    memset(sums, 0, r->row_count * sizeof *sums);
}

/* The vertical pass: adds row `y` of the input, resized horizontally, to all of the window's rows that it is part of. */
static void add_row(struct vgg_resizer *r, int y, const uint8_t *row)
{
    const struct vgg_axis *axis = &r->rows;
    for (int i = r->output; i < axis->count && axis->start[i] <= y; i++) {
        const int tap = y - axis->start[i];
        int32_t *sums = r->sums + (size_t)(i % r->sum_rows) * r->row_count;
        add_weighted(row, axis->weights[(size_t)i * (size_t)axis->max_taps + (size_t)tap],
                     r->row_count, sums);
        if (tap + 1 == axis->taps[i]) {
            finish_row(r, i, sums);
            r->output++;
        }
    }
}

void vgg_resizer_take(struct vgg_resizer *resizer, const uint8_t *row)
{
    const bool needed = vgg_resizer_needs_row(resizer);
    const int y = resizer->input++;
    if (!needed) {
        return;
    }
    row = resize_across(resizer, row);
    if (resizer->down) {
        add_row(resizer, y, row);
    } else {
        resizer->out.put(resizer->out.user, y - resizer->first_row, row);
    }
}

/* --- a whole image --- */

static void put_row(void *user, int y, const uint8_t *row)
{
    const struct vgg_image *image = user;
    const size_t bytes = (size_t)image->width * 3;
    memcpy(image->rgb + (size_t)y * bytes, row, bytes);
}

static vgg_status resize(const struct vgg_image *image, struct vgg_image *out,
                         struct vgg_error *err)
{
    struct vgg_image_job job = vgg_image_job_unlimited(image);
    const struct vgg_resizing resizing = {
        .width = out->width,
        .height = out->height,
        .window = {.width = out->width, .height = out->height},
        .channels = 3,
    };
    const struct vgg_resized resized = {put_row, out};
    struct vgg_resizer resizer;
    vgg_status status = vgg_resizer_create(&job, &resizing, &resized, &resizer, err);
    for (int y = 0; status == VGG_OK && y < image->height; y++) {
        vgg_resizer_take(&resizer, image->rgb + (size_t)y * (size_t)image->width * 3);
    }
    vgg_resizer_destroy(&resizer);
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
    struct vgg_image_job job = vgg_image_job_unlimited(image);
    job.width = width;
    job.height = height;
    vgg_status status = vgg_image_create(&job, &resized, err);
    if (status != VGG_OK) {
        return status;
    }
    status = resize(image, &resized, err);
    if (status == VGG_OK) {
        *out = resized;
    } else {
        vgg_image_destroy(&resized);
    }
    return status;
}
