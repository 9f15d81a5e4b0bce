/* SPDX-License-Identifier: MIT */
/* In which order a tensor's elements lie.
 *
 * A layout is a name in a packed file's directory and what follows from it: how many bytes a shape takes,
 * and where an element is. To add one: its value in enum vgg_layout, a line in layout.c. */
#ifndef VGG_CHECKPOINT_TENSOR_LAYOUT_H
#define VGG_CHECKPOINT_TENSOR_LAYOUT_H

#include "vgg/checkpoint.h"

struct vgg_layout_type {
    const char *name;
    enum vgg_layout layout;
    /* The number of elements that a shape takes with whatever fills it up, all sides being positive; false
     * when the layout has no such shapes, or the number overflows. */
    bool (*measure)(const int64_t *shape, int ndim, uint64_t *elements);
    /* Which of them is the one at a position counted in row-major order, 0 … count-1. NULL: strides say. */
    int64_t (*place)(const int64_t *shape, int ndim, int64_t position);
};

const struct vgg_layout_type *vgg_layout_get(enum vgg_layout layout);
/* By its name; NULL when there is none. */
const struct vgg_layout_type *vgg_layout_find(const char *name);

#endif
