/* SPDX-License-Identifier: MIT */
/* Pillow's resize, for a part of the result, row by row. */
#ifndef VGG_IMAGE_RESIZE_H
#define VGG_IMAGE_RESIZE_H

#include "image/axis.h"
#include "image/image.h"

/* A rectangle of pixels; width and height > 0. */
struct vgg_rectangle {
    int x, y;
    int width, height;
};

/* What an image of the job's size is resized to, and the part of it that is wanted. */
struct vgg_resizing {
    int width, height;
    enum vgg_interpolation interpolation;
    struct vgg_rectangle window;
    /* Of a pixel: 1 or 3 */
    int channels;
};

/* Receives the rows of the window from the top: [window.width][channels]. */
struct vgg_resized {
    void (*put)(void *user, int y, const uint8_t *row);
    void *user;
};

/* An image on its way through both passes. */
struct vgg_resizer {
    struct vgg_resizing resizing;
    struct vgg_resized out;
    const struct vgg_allocator *allocator;
    /* What the passes compute; of an axis that keeps its size nothing is. */
    bool across, down;
    struct vgg_axis columns, rows;
    /* The input rows that are needed. */
    int first_row, end_row;
    /* Elements of a row of the window. */
    size_t row_count;
    /* The input row that comes next, and the window's row that is finished next. */
    int input, output;
    /* [row_count] of the horizontal pass */
    uint8_t *row;
    /* [sum_rows][row_count] sums of the window's rows that are begun; row y is at y % sum_rows. */
    int32_t *sums;
    int sum_rows;
};

/* Prepares to compute the window of what Pillow's Image.resize gives.
 *   out  to be destroyed, after an error too
 * Errors: LIMIT, MEMORY. */
vgg_status vgg_resizer_create(struct vgg_image_job *job, const struct vgg_resizing *resizing,
                              const struct vgg_resized *resized, struct vgg_resizer *out,
                              struct vgg_error *err);
void vgg_resizer_destroy(struct vgg_resizer *resizer);

/* Whether the pixels of the next input row count. */
bool vgg_resizer_needs_row(const struct vgg_resizer *resizer);
/* Takes the next input row from the top, [width][channels]; of a row that is not needed, nothing is read. */
void vgg_resizer_take(struct vgg_resizer *resizer, const uint8_t *row);

#endif
