/* SPDX-License-Identifier: MIT */
/* A convolution's weights in the order in which kernels read them, which packed files hold beside or instead of the
 * plain weights. G output channels are adjacent; padding is zero:
 *
 *     direct    [oc / G][ic / B][kh][kw][B][G]        B: input channels of a block, or all of them
 *     winograd  [f][oc / G][channels][G]              F(m × m, 3 × 3), f of (m + 2)²: G g Gᵀ of winograd.h
 *
 * BatchNorm is folded in. plan/ decides which order a kernel reads. */
#ifndef VGG_CHECKPOINT_TENSOR_PREPACKED_ORDER_H
#define VGG_CHECKPOINT_TENSOR_PREPACKED_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vgg_order {
    VGG_ORDER_DIRECT,
    VGG_ORDER_WINOGRAD,
};

/* An order: with the shape of the weights, it determines the place of each element. */
struct vgg_order_info {
    enum vgg_order order;
    int m;        /* WINOGRAD: 2, 4 or 6; else 0 */
    int group;    /* G */
    int channels; /* DIRECT: B; WINOGRAD: input channels with padding */
};

struct vgg_prepacked {
    const char *name; /* of the weight */
    struct vgg_order_info info;
    /* float32 in this machine's byte order, aligned to VGG_PREPACKED_ALIGN_BYTES; NULL where the file's bytes are
     * not. */
    const void *data;
    uint64_t bytes;
    uint64_t file_offset;
};

enum { VGG_PREPACKED_ALIGN_BYTES = 64 };

/* The number of elements for a weight of this shape; false when the order does not have this shape. */
bool vgg_prepacked_measure(const struct vgg_order_info *info, const int64_t *shape, int ndim,
                           uint64_t *elements);

/* "direct", "winograd"; and back: false when the name is none of them. */
const char *vgg_order_string(enum vgg_order order);
bool vgg_order_parse(const char *name, enum vgg_order *out);

#endif
