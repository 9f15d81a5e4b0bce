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

/* Bytes from the first element to the last, of a tensor that was opened. */
uint64_t vgg_tensor_get_extent(const struct vgg_tensor *tensor);

/* The address of an element at a position counted in row-major order. */
const void *vgg_tensor_get_address(const struct vgg_tensor *tensor, int64_t position);

/* Steps from one row, which the last dimension makes, to the next in row-major order; after the last comes the first.
 *   index   [ndim - 1] of the row
 *   offset  of the row's first element, in elements */
void vgg_tensor_next_row(const struct vgg_tensor *tensor, int64_t *index, int64_t *offset);

/* The elements first … first+count-1, counted in row-major order, as vgg_tensor_read_f32 reads all.
 *   out  [count] */
void vgg_tensor_read_range(const struct vgg_tensor *tensor, int64_t first, int64_t count,
                           float *out);

#endif
