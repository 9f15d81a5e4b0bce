/* SPDX-License-Identifier: MIT */
/* The order of a tensor's elements.
 *
 * A layout has a name in a packed file's directory; it determines the size of a shape and the place of an element. To
 * add one: its value in enum vgg_layout, a line in layout.c. */
#ifndef VGG_CHECKPOINT_TENSOR_LAYOUT_H
#define VGG_CHECKPOINT_TENSOR_LAYOUT_H

#include "vgg/checkpoint.h"

struct vgg_layout_type {
    const char *name;
    enum vgg_layout layout;
    /* The number of elements of a shape, with padding; all sides are positive. False when the layout does not have
     * this shape, or the number overflows. */
    bool (*measure)(const int64_t *shape, int ndim, uint64_t *elements);
    /* The place of the element at a position counted in row-major order, 0 … count-1. NULL: strides determine it. */
    int64_t (*place)(const int64_t *shape, int ndim, int64_t position);
};

const struct vgg_layout_type *vgg_layout_get(enum vgg_layout layout);
/* By its name; NULL when there is none. */
const struct vgg_layout_type *vgg_layout_find(const char *name);

#endif
