/* SPDX-License-Identifier: MIT */
/* Tensors: geometry, and reading any element type as float32. */
#include "checkpoint/tensor/tensor.h"

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "checkpoint/tensor/layout.h"

int64_t vgg_tensor_get_count(const struct vgg_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->ndim; i++) {
        if (tensor->shape[i] == 0) {
            return 0; /* the product of the other sizes could overflow */
        }
    }
    for (int i = 0; i < tensor->ndim; i++) {
        count *= tensor->shape[i];
    }
    return count;
}

bool vgg_tensor_is_contiguous(const struct vgg_tensor *tensor)
{
    if (tensor->layout != VGG_LAYOUT_ROWS) {
        return false;
    }
    if (vgg_tensor_get_count(tensor) == 0) {
        return true;
    }
    int64_t expected = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        if (tensor->shape[i] != 1) { /* the stride of a single element is never used */
            if (tensor->stride[i] != expected) {
                return false;
            }
            expected *= tensor->shape[i];
        }
    }
    return true;
}

/* One past the last element of a strided tensor, or the number of elements of a layout. */
uint64_t vgg_tensor_get_extent(const struct vgg_tensor *tensor)
{
    const struct vgg_layout_type *type = vgg_layout_get(tensor->layout);
    uint64_t elements = 1;
    if (vgg_tensor_get_count(tensor) == 0 || tensor->layout == VGG_LAYOUT_PREPACKED) {
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

/* An element of 1, 2, 4 or 8 bytes at any alignment, in this machine's order. */
static inline uint64_t load(const uint8_t *p, unsigned bytes, bool swapped)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (bytes) {
    case 1:
        memcpy(&one, p, sizeof one);
        return one;
    case 2:
        memcpy(&two, p, sizeof two);
        return swapped ? __builtin_bswap16(two) : two;
    case 4:
        memcpy(&four, p, sizeof four);
        return swapped ? __builtin_bswap32(four) : four;
    default:
        memcpy(&eight, p, sizeof eight);
        return swapped ? __builtin_bswap64(eight) : eight;
    }
}

static inline float double_from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* One row of count elements, stride elements apart. */
static void read_row(const struct vgg_tensor *tensor, const uint8_t *data, int64_t count,
                     int64_t stride, float *out)
{
#define ROW(type_bytes, expression)                                                                \
    for (int64_t i = 0; i < count; i++) {                                                          \
        uint64_t bits = load(data + i * stride * (type_bytes), type_bytes, tensor->swapped);       \
        out[i] = (expression);                                                                     \
    }                                                                                              \
    break
    switch (tensor->dtype) {
    case VGG_DTYPE_F32:
        ROW(4, vgg_float_from_bits((uint32_t)bits));
    case VGG_DTYPE_F64:
        ROW(8, double_from_bits(bits));
    case VGG_DTYPE_F16:
        ROW(2, vgg_half_to_float((uint16_t)bits));
    case VGG_DTYPE_BF16:
        ROW(2, vgg_bfloat16_to_float((uint16_t)bits));
    case VGG_DTYPE_I64:
        ROW(8, (float)(int64_t)bits);
    case VGG_DTYPE_I32:
        ROW(4, (float)(int32_t)bits);
    case VGG_DTYPE_I16:
        ROW(2, (float)(int16_t)bits);
    case VGG_DTYPE_I8:
        ROW(1, (float)(int8_t)bits);
    case VGG_DTYPE_U8:
        ROW(1, (float)(uint8_t)bits);
    case VGG_DTYPE_BOOL:
        ROW(1, bits != 0 ? 1.0f : 0.0f);
    case VGG_DTYPE_F8_E4M3:
        ROW(1, vgg_f8_e4m3_to_float((uint8_t)bits));
    case VGG_DTYPE_F8_E5M2:
        ROW(1, vgg_f8_e5m2_to_float((uint8_t)bits));
    }
#undef ROW
}

void vgg_tensor_next_row(const struct vgg_tensor *tensor, int64_t *index, int64_t *offset)
{
    for (int i = tensor->ndim - 2; i >= 0; i--) {
        *offset += tensor->stride[i];
        if (++index[i] < tensor->shape[i]) {
            break;
        }
        *offset -= tensor->stride[i] * tensor->shape[i];
        index[i] = 0;
    }
}

void vgg_tensor_read_range(const struct vgg_tensor *tensor, int64_t first, int64_t count,
                           float *out)
{
    const int64_t bytes = (int64_t)vgg_dtype_get_bytes(tensor->dtype);
    const int last = tensor->ndim - 1;
    if (tensor->data == NULL) {
        for (int64_t i = 0; i < count; i++) {
            out[i] = NAN;
        }
        return;
    }
    if (tensor->layout != VGG_LAYOUT_ROWS) {
        for (int64_t i = 0; i < count; i++) {
            read_row(tensor, vgg_tensor_get_address(tensor, first + i), 1, 1, out + i);
        }
        return;
    }
    if (vgg_tensor_is_contiguous(tensor)) {
        const uint8_t *data = (const uint8_t *)tensor->data + first * bytes;
        if (tensor->dtype == VGG_DTYPE_F32 && !tensor->swapped && count > 0) {
            memcpy(out, data, (size_t)count * sizeof *out);
        } else {
            read_row(tensor, data, count, 1, out);
        }
        return;
    }
    /* The last dimension makes the rows; the range may begin and end within one. */
    const int64_t row = tensor->shape[last], stride = tensor->stride[last];
    int64_t index[VGG_MAX_DIMS] = {0};
    int64_t offset = 0; /* of the row, in elements */
    int64_t column = first % row;
    for (int64_t i = last - 1, at = first / row; i >= 0; at /= tensor->shape[i--]) {
        index[i] = at % tensor->shape[i];
        offset += index[i] * tensor->stride[i];
    }
    for (int64_t done = 0; done < count;) {
        const int64_t here = count - done < row - column ? count - done : row - column;
        read_row(tensor, (const uint8_t *)tensor->data + (offset + column * stride) * bytes, here,
                 stride, out + done);
        done += here;
        column = 0;
        vgg_tensor_next_row(tensor, index, &offset);
    }
}

void vgg_tensor_read_f32(const struct vgg_tensor *tensor, float *out)
{
    vgg_tensor_read_range(tensor, 0, vgg_tensor_get_count(tensor), out);
}
