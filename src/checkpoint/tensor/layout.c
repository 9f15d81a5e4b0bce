/* SPDX-License-Identifier: MIT */
/* The table of layouts. */
#include "checkpoint/tensor/layout.h"

#include <stddef.h>
#include <string.h>

#include "base/column_tile.h"

/* ---- rows: row-major ---- */

static bool measure_rows(const int64_t *shape, int ndim, uint64_t *elements)
{
    *elements = 1;
    for (int i = 0; i < ndim; i++) {
        if (__builtin_mul_overflow(*elements, (uint64_t)shape[i], elements)) {
            return false;
        }
    }
    return true;
}

/* ---- column-major: a matrix [rows][k] as [rows / 64][k][64], the last rows padded ---- */

enum { COLUMN_ROWS = VGG_COLUMN_TILE_ROWS };

static bool measure_column_major(const int64_t *shape, int ndim, uint64_t *elements)
{
    if (ndim != 2) {
        return false;
    }
    const uint64_t groups = ((uint64_t)shape[0] + COLUMN_ROWS - 1) / COLUMN_ROWS;
    return !__builtin_mul_overflow(groups * COLUMN_ROWS, (uint64_t)shape[1], elements);
}

static int64_t place_column_major(const int64_t *shape, int ndim, int64_t position)
{
    (void)ndim;
    const int64_t row = position / shape[1], k = position % shape[1];
    return (row / COLUMN_ROWS * shape[1] + k) * COLUMN_ROWS + row % COLUMN_ROWS;
}

/* ---- int8: the layout of kernels/int8.h, for convolutions [oc][ic][kh][kw] and matrices [oc][ic] ---- */

enum { INT8_ROWS = 16, INT8_BLOCK = 64, INT8_INPUT_BLOCK = 4, INT8_LANE = 4 };

static uint64_t round_up(int64_t size, int64_t step)
{
    return ((uint64_t)size + (uint64_t)step - 1) / (uint64_t)step * (uint64_t)step;
}

static bool measure_blocks(const int64_t *shape, int ndim, int64_t block, uint64_t *elements)
{
    if (ndim != 2 && ndim != 4) {
        return false;
    }
    *elements = round_up(shape[0], INT8_ROWS);
    if (__builtin_mul_overflow(*elements, round_up(shape[1], block), elements)) {
        return false;
    }
    for (int i = 2; i < ndim; i++) {
        if (__builtin_mul_overflow(*elements, (uint64_t)shape[i], elements)) {
            return false;
        }
    }
    return true;
}

static int64_t place_blocks(const int64_t *shape, int ndim, int64_t position, int64_t block)
{
    const int64_t area = ndim == 4 ? shape[2] * shape[3] : 1;
    const int64_t k = position % area, ic = position / area % shape[1];
    const int64_t oc = position / area / shape[1];
    const int64_t blocks = (shape[1] + block - 1) / block;
    return ((((oc / INT8_ROWS * blocks + ic / block) * area + k) * (block / INT8_LANE) +
             ic % block / INT8_LANE) *
                INT8_ROWS +
            oc % INT8_ROWS) *
               INT8_LANE +
           ic % INT8_LANE;
}

static bool measure_int8(const int64_t *shape, int ndim, uint64_t *elements)
{
    return measure_blocks(shape, ndim, INT8_BLOCK, elements);
}

static int64_t place_int8(const int64_t *shape, int ndim, int64_t position)
{
    return place_blocks(shape, ndim, position, INT8_BLOCK);
}

/* Of the first convolution, whose input has no more channels than a block. */
static bool measure_int8_input(const int64_t *shape, int ndim, uint64_t *elements)
{
    return shape[1] <= INT8_INPUT_BLOCK && measure_blocks(shape, ndim, INT8_INPUT_BLOCK, elements);
}

static int64_t place_int8_input(const int64_t *shape, int ndim, int64_t position)
{
    return place_blocks(shape, ndim, position, INT8_INPUT_BLOCK);
}

/* ---- prepacked: without elements ---- */

static bool measure_prepacked(const int64_t *shape, int ndim, uint64_t *elements)
{
    (void)shape;
    (void)ndim;
    *elements = 0;
    return false;
}

/* ---- all ---- */

/* In the order of enum vgg_layout. */
static const struct vgg_layout_type types[] = {
    {"rows", VGG_LAYOUT_ROWS, measure_rows, NULL},
    {"column-major", VGG_LAYOUT_COLUMN_MAJOR, measure_column_major, place_column_major},
    {"int8", VGG_LAYOUT_INT8, measure_int8, place_int8},
    {"int8-input", VGG_LAYOUT_INT8_INPUT, measure_int8_input, place_int8_input},
    {"prepacked", VGG_LAYOUT_PREPACKED, measure_prepacked, NULL},
};

const struct vgg_layout_type *vgg_layout_get(enum vgg_layout layout)
{
    return &types[layout];
}

const struct vgg_layout_type *vgg_layout_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

const char *vgg_layout_string(enum vgg_layout layout)
{
    return (unsigned)layout < sizeof types / sizeof types[0] ? types[layout].name : "unknown";
}
