/* A checkpoint's tensors as the model sees them: a list that is searched by name. */
#ifndef VGG_MODEL_GRAPH_TENSORS_H
#define VGG_MODEL_GRAPH_TENSORS_H

#include "base/mem.h"
#include "base/status.h"
#include "vgg/checkpoint.h"

/* Borrows the tensors; the two arrays, and matrices, are the arena's. */
struct vgg_tensor_list {
    const struct vgg_tensor **items;   /* [count], in the order of the file */
    const struct vgg_tensor **by_name; /* [count], sorted by name */
    size_t count;
};

/* Copies the pointers tensors[count]. The weight of a fully connected layer that is kept as a convolution, as timm keeps
 * VGG's (pre_logits.fc1.weight [4096,512,7,7]), becomes the matrix that lies in the same bytes: of a 4-dimensional
 * weight whose module is called fc. Errors: MEMORY. */
vgg_status vgg_tensor_list_init(struct vgg_tensor_list *list, struct vgg_arena *arena,
                                const struct vgg_tensor *const *tensors, size_t count,
                                struct vgg_error *err);

/* The tensor with exactly this name, or NULL; the printf form builds the name, of which more than
 * 255 bytes never match. */
const struct vgg_tensor *vgg_tensor_list_find(const struct vgg_tensor_list *list, const char *name);
const struct vgg_tensor *vgg_tensor_list_findf(const struct vgg_tensor_list *list,
                                               const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether elements of this type can be weights: any floating-point type. */
bool vgg_dtype_is_float(enum vgg_dtype dtype);

/* A shape as "[64,3,3,3]" in out. */
#define VGG_SHAPE_TEXT_BYTES 192
const char *vgg_shape_text(const int64_t *shape, int ndim, char out[VGG_SHAPE_TEXT_BYTES]);

#endif
