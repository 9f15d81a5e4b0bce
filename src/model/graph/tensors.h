/* SPDX-License-Identifier: MIT */
/* A checkpoint's tensors as a list that is searched by name. */
#ifndef VGG_MODEL_GRAPH_TENSORS_H
#define VGG_MODEL_GRAPH_TENSORS_H

#include "base/load.h"
#include "base/mem.h"
#include "base/status.h"
#include "vgg/checkpoint.h"

/* Borrows the tensors; the arrays are in the arena. */
struct vgg_tensor_list {
    /* [count], in the order of the file */
    const struct vgg_tensor **items;
    /* [count], sorted by name */
    const struct vgg_tensor **by_name;
    size_t count;
    /* The first matrix that the file has as a convolution's filter; NULL: there is none. */
    const struct vgg_tensor *filter;
    /* [count] whether a net may leave the tensor out because the file's own code does; NULL: it uses all of them. */
    const bool *optional;
};

/* Copies the pointers tensors[count]. A four-dimensional weight of a module called fc, fc1 … is a fully connected
 * layer stored as a convolution, as in timm's VGG (pre_logits.fc1.weight [4096,512,7,7]): it is listed as the
 * matrix with the same bytes. Errors: MEMORY. */
vgg_status vgg_tensor_list_init(struct vgg_tensor_list *list, struct vgg_arena *arena,
                                const struct vgg_tensor *const *tensors, size_t count,
                                struct vgg_error *err);

/* Copies a list without the tensors of these modules and of these names.
 *   names  [count]
 *   out    receives it; its arrays are in the arena
 * Errors: MISMATCH (the file has none of a name), MEMORY. */
vgg_status vgg_tensor_list_leave_out(const struct vgg_load *load,
                                     const struct vgg_tensor_list *list, const char *const *names,
                                     size_t count, struct vgg_tensor_list *out);

/* The tensor with exactly this name, or NULL. The printf form builds the name; a name of more than 255 bytes never
 * matches. */
const struct vgg_tensor *vgg_tensor_list_find(const struct vgg_tensor_list *list, const char *name);
const struct vgg_tensor *vgg_tensor_list_findf(const struct vgg_tensor_list *list,
                                               const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether elements of this type can be weights: any floating-point type. */
bool vgg_dtype_is_float(enum vgg_dtype dtype);

/* Writes a shape as "[64,3,3,3]"; returns out. */
#define VGG_SHAPE_TEXT_BYTES 192
const char *vgg_shape_text(const int64_t *shape, int ndim, char out[VGG_SHAPE_TEXT_BYTES]);

#endif
