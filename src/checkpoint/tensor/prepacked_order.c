/* SPDX-License-Identifier: MIT */
/* The orders of prepacked weights: their names and sizes. */
#include "checkpoint/tensor/prepacked_order.h"

#include <string.h>

static const char *const names[] = {
    [VGG_ORDER_DIRECT] = "direct",
    [VGG_ORDER_WINOGRAD] = "winograd",
};

const char *vgg_order_string(enum vgg_order order)
{
    return names[order];
}

bool vgg_order_parse(const char *name, enum vgg_order *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum vgg_order)i;
            return true;
        }
    }
    return false;
}

static uint64_t round_up(uint64_t count, uint64_t multiple)
{
    return (count + multiple - 1) / multiple * multiple;
}

bool vgg_prepacked_measure(const struct vgg_order_info *info, const int64_t *shape, int ndim,
                           uint64_t *elements)
{
    enum { MAX = 1 << 28 }; /* far beyond any layer, and nothing below overflows */
    if (ndim != 4 || info->group < 1 || info->channels < 1 || info->group > MAX ||
        info->channels > MAX || shape[0] > MAX || shape[1] > MAX || shape[2] != shape[3]) {
        return false;
    }
    const uint64_t oc = round_up((uint64_t)shape[0], (uint64_t)info->group);
    uint64_t ic = round_up((uint64_t)shape[1], (uint64_t)info->channels);
    uint64_t area;
    if (__builtin_mul_overflow((uint64_t)shape[2], (uint64_t)shape[3], &area)) {
        return false;
    }
    if (info->order == VGG_ORDER_WINOGRAD) {
        if (shape[2] != 3 || info->channels < shape[1] ||
            (info->m != 2 && info->m != 4 && info->m != 6)) {
            return false;
        }
        area = (uint64_t)(info->m + 2) * (uint64_t)(info->m + 2);
        ic = (uint64_t)info->channels;
    } else if (info->m != 0) {
        return false;
    }
    return !__builtin_mul_overflow(oc, ic, elements) &&
           !__builtin_mul_overflow(*elements, area, elements);
}
