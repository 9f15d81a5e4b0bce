/* SPDX-License-Identifier: MIT */
/* Writes weights and biases into a packed file, with BatchNorm folded in. */
#include "pack/write_weights.h"

#include <string.h>

#include "base/column_tile.h"
#include "base/half.h"
#include "model/graph/norm.h"

static void begin_tensor(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                         enum vgg_dtype dtype, enum vgg_layout layout)
{
    const struct vgg_packed_tensor tensor = {
        .name = as->name, .dtype = dtype, .layout = layout, .shape = as->shape, .ndim = as->ndim};
    vgg_packed_begin_tensor(to->file, &tensor);
}

/* Weights of one output channel, and what they are multiplied by. */
struct weights {
    const float *values; /* [count] */
    size_t count;
    double scale;
};

/* Stores scaled weights, rounded once to the file's type.
 *   out  [count] of that type, and `step` elements from one to the next; not the weights' own memory */
static vgg_status store_weights(const struct vgg_weight_writer *to, const struct vgg_parameter *as,
                                struct weights weights, void *out, size_t step)
{
    const bool half = to->dtype == VGG_DTYPE_F16;
    float *floats = out;
    uint16_t *halves = out;
    if (to->dtype == VGG_DTYPE_F32) {
        for (size_t i = 0; i < weights.count; i++) {
            floats[i * step] = weights.values[i];
            vgg_fold_weights(floats + i * step, 1, weights.scale);
        }
        return VGG_OK;
    }
    const int infinity = half ? 0x7c00 : 0x7f80;
    for (size_t i = 0; i < weights.count; i++) {
        const double value = (double)weights.values[i] * weights.scale;
        halves[i * step] = half ? vgg_half_from_double(value) : vgg_bfloat16_from_double(value);
        if ((halves[i * step] & 0x7fff) >= infinity) {
            return vgg_fail(to->load->err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: a weight of %.9g is beyond the largest %s, which is %s: pack "
                            "it as %s",
                            to->load->path, as->name, value, vgg_dtype_string(to->dtype),
                            half ? "65504" : "3.39e38", half ? "bf16" : "f32");
        }
    }
    return VGG_OK;
}

/* Writes a convolution's weight, filter by filter.
 *   scale  of each, or NULL */
vgg_status vgg_write_filters(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                             const struct vgg_tensor *tensor, const double *scale)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(to->load);
    const size_t count = (size_t)(vgg_tensor_get_count(tensor) / tensor->shape[0]);
    float *filter = vgg_mem_alloc(allocator, count, 2 * sizeof *filter);
    if (filter == NULL) {
        return vgg_load_fail_memory(to->load, 2 * count * sizeof *filter, tensor->name);
    }
    vgg_status status = VGG_OK;
    begin_tensor(to, as, to->dtype, VGG_LAYOUT_ROWS);
    for (int64_t i = 0; i < tensor->shape[0] && status == VGG_OK; i++) {
        vgg_tensor_read_range(tensor, i * (int64_t)count, (int64_t)count, filter);
        const struct weights weights = {filter, count, scale != NULL ? scale[i] : 1};
        status = store_weights(to, as, weights, filter + count, 1);
        vgg_packed_add(to->file, filter + count, count);
    }
    vgg_packed_end_tensor(to->file);
    vgg_mem_free(allocator, filter);
    return status;
}

/* Writes a fully connected layer's weight [rows][k] column-major, a block of columns at a time. All values are
 * finite, which the kernel relies on when it skips zeros.
 *   scale  of each row, or NULL */
vgg_status vgg_write_columns(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                             const struct vgg_tensor *tensor, const double *scale)
{
    enum { ROWS = VGG_COLUMN_TILE_ROWS, BLOCK = 64 };
    const int64_t rows = tensor->shape[0], k = vgg_tensor_get_count(tensor) / rows;
    const size_t bytes = vgg_dtype_get_bytes(to->dtype);
    float values[BLOCK], columns[BLOCK * ROWS];
    vgg_status status = VGG_OK;
    begin_tensor(to, as, to->dtype, VGG_LAYOUT_COLUMN_MAJOR);
    for (int64_t slice = 0; slice < rows; slice += ROWS) {
        for (int64_t first = 0; first < k && status == VGG_OK; first += BLOCK) {
            const int64_t count = k - first < BLOCK ? k - first : BLOCK;
            memset(columns, 0, sizeof columns);
            for (int64_t row = 0; row < ROWS && slice + row < rows && status == VGG_OK; row++) {
                vgg_tensor_read_range(tensor, (slice + row) * k + first, count, values);
                const struct weights weights = {values, (size_t)count,
                                                scale != NULL ? scale[slice + row] : 1};
                status =
                    store_weights(to, as, weights, (char *)columns + (size_t)row * bytes, ROWS);
            }
            vgg_packed_add(to->file, columns, (size_t)count * ROWS);
        }
    }
    vgg_packed_end_tensor(to->file);
    return status;
}

vgg_status vgg_write_bias(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                          const struct vgg_tensor *tensor)
{
    float *elements;
    vgg_status status = vgg_vector_read(to->load, tensor, &elements);
    if (status == VGG_OK) {
        begin_tensor(to, as, VGG_DTYPE_F32, VGG_LAYOUT_ROWS);
        vgg_packed_add(to->file, elements, (size_t)as->shape[0]);
        vgg_packed_end_tensor(to->file);
    }
    return status;
}

/* Writes the bias of a layer that had a BatchNorm. */
vgg_status vgg_write_folded_bias(struct vgg_weight_writer *to, const struct vgg_parameter *as,
                                 const struct vgg_tensor *bias, const double *scale,
                                 const double *shift)
{
    float *elements;
    const size_t count = (size_t)as->shape[0];
    vgg_status status = vgg_vector_read(to->load, bias, &elements);
    if (status == VGG_OK && elements == NULL) {
        elements = vgg_load_alloc(to->load, count, sizeof *elements);
        status = elements != NULL
                     ? VGG_OK
                     : vgg_load_fail_memory(to->load, count * sizeof *elements, as->name);
    }
    if (status != VGG_OK) {
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        elements[i] = vgg_fold_bias((double)elements[i], scale[i], shift[i]);
    }
    begin_tensor(to, as, VGG_DTYPE_F32, VGG_LAYOUT_ROWS);
    vgg_packed_add(to->file, elements, count);
    vgg_packed_end_tensor(to->file);
    return VGG_OK;
}
