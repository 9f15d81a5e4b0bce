/* SPDX-License-Identifier: MIT */
/* Writes a tensor's elements in the order of files. */
#include "checkpoint/write/elements.h"

#include "base/byteorder.h"
#include "checkpoint/tensor/tensor.h"

struct element {
    size_t bytes;
    bool swap; /* to little-endian */
};

static void put_elements(struct element element, const uint8_t *data, int64_t count,
                         int64_t stride_bytes, uint8_t *out)
{
    for (int64_t i = 0; i < count; i++, data += stride_bytes, out += element.bytes) {
        for (size_t b = 0; b < element.bytes; b++) {
            out[b] = data[element.swap ? element.bytes - 1 - b : b];
        }
    }
}

void vgg_tensor_write(const struct vgg_tensor *tensor, vgg_bytes_fn *fn, void *user)
{
    enum { PIECE_BYTES = 8192 };
    uint8_t piece[PIECE_BYTES];
    const size_t bytes = vgg_dtype_get_bytes(tensor->dtype);
    const int64_t total = vgg_tensor_get_count(tensor);
    const bool big = tensor->swapped == vgg_host_is_little();
    const bool contiguous = vgg_tensor_is_contiguous(tensor);
    const struct element element = {bytes, big};
    if (contiguous && (!big || bytes == 1)) {
        fn(user, tensor->data, (size_t)total * bytes);
        return;
    }
    if (tensor->layout != VGG_LAYOUT_ROWS) {
        const int64_t max = PIECE_BYTES / (int64_t)bytes;
        for (int64_t at = 0; at < total; at += max) {
            const int64_t count = total - at < max ? total - at : max;
            for (int64_t i = 0; i < count; i++) {
                put_elements(element, vgg_tensor_get_address(tensor, at + i), 1, 0,
                             piece + (size_t)i * bytes);
            }
            fn(user, piece, (size_t)count * bytes);
        }
        return;
    }
    /* A contiguous tensor is one row; else the last dimension makes the rows. */
    const int last = tensor->ndim - 1;
    const int64_t row = contiguous ? total : tensor->shape[last];
    const int64_t stride = (contiguous ? 1 : tensor->stride[last]) * (int64_t)bytes;
    const int64_t max = PIECE_BYTES / (int64_t)bytes;
    int64_t index[VGG_MAX_DIMS] = {0};
    int64_t offset = 0; /* of the row, in elements */
    for (int64_t done = 0; done < total; done += row) {
        const uint8_t *data = (const uint8_t *)tensor->data + offset * (int64_t)bytes;
        for (int64_t at = 0; at < row; at += max) {
            const int64_t count = row - at < max ? row - at : max;
            put_elements(element, data + at * stride, count, stride, piece);
            fn(user, piece, (size_t)count * bytes);
        }
        vgg_tensor_next_row(tensor, index, &offset);
    }
}
