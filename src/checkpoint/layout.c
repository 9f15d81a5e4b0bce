/* The table of layouts. */
#include "checkpoint/layout.h"

#include <stddef.h>
#include <string.h>

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

/* ---- columns: a matrix [rows][k] as [rows / 64][k][64], the last rows filled up ---- */

enum { COLUMN_ROWS = 64 };

static bool measure_columns(const int64_t *shape, int ndim, uint64_t *elements)
{
    if (ndim != 2) {
        return false;
    }
    const uint64_t groups = ((uint64_t)shape[0] + COLUMN_ROWS - 1) / COLUMN_ROWS;
    return !__builtin_mul_overflow(groups * COLUMN_ROWS, (uint64_t)shape[1], elements);
}

static int64_t place_columns(const int64_t *shape, int ndim, int64_t position)
{
    (void)ndim;
    const int64_t row = position / shape[1], k = position % shape[1];
    return (row / COLUMN_ROWS * shape[1] + k) * COLUMN_ROWS + row % COLUMN_ROWS;
}

/* ---- all ---- */

/* In the order of enum vgg_layout. */
static const struct vgg_layout_type types[] = {
    {"rows", VGG_LAYOUT_ROWS, measure_rows, NULL},
    {"columns", VGG_LAYOUT_COLUMNS, measure_columns, place_columns},
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

/* The last element of a strided tensor, or how many a layout takes. */
uint64_t vgg_tensor_get_extent(const struct vgg_tensor *tensor)
{
    const struct vgg_layout_type *type = vgg_layout_get(tensor->layout);
    uint64_t elements = 1;
    if (vgg_tensor_get_count(tensor) == 0) {
        return 0;
    }
    if (type->place != NULL) {
        type->measure(tensor->shape, tensor->ndim, &elements);
    } else {
        for (int i = 0; i < tensor->ndim; i++) {
            elements += (uint64_t)((tensor->shape[i] - 1) * tensor->stride[i]);
        }
    }
    return elements * vgg_dtype_get_bytes(tensor->dtype);
}

const void *vgg_tensor_get_address(const struct vgg_tensor *tensor, int64_t position)
{
    const struct vgg_layout_type *type = vgg_layout_get(tensor->layout);
    int64_t element = 0;
    if (type->place != NULL) {
        element = type->place(tensor->shape, tensor->ndim, position);
    } else {
        for (int i = tensor->ndim - 1; i >= 0; i--) {
            element += position % tensor->shape[i] * tensor->stride[i];
            position /= tensor->shape[i];
        }
    }
    return (const char *)tensor->data + element * (int64_t)vgg_dtype_get_bytes(tensor->dtype);
}
