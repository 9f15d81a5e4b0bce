/* SPDX-License-Identifier: MIT */
/* The bytes that tensors lie in. */
#include "checkpoint/tensor/extent.h"

#include <stdlib.h>

#include "checkpoint/tensor/tensor.h"

struct vgg_extent vgg_extent_of(const struct vgg_tensor *tensor)
{
    const char *begin = tensor->data;
    return (struct vgg_extent){begin, begin + vgg_tensor_get_extent(tensor)};
}

static int compare_extents(const void *a, const void *b)
{
    const struct vgg_extent *left = a, *right = b;
    return (left->begin > right->begin) - (left->begin < right->begin);
}

uint64_t vgg_extents_count_bytes(struct vgg_extent *extents, size_t count)
{
    uint64_t total = 0;
    const char *end = NULL;
    qsort(extents, count, sizeof *extents, compare_extents);
    for (size_t i = 0; i < count; i++) {
        const char *begin = i > 0 && extents[i].begin < end ? end : extents[i].begin;
        if (i == 0 || extents[i].end > end) {
            total += (uint64_t)(extents[i].end - begin);
            end = extents[i].end;
        }
    }
    return total;
}
