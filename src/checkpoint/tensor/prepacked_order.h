/* SPDX-License-Identifier: MIT */
/* A convolution's weights in the order in which kernels read them, as packed files hold them beside or
 * instead of the plain ones, G output channels side by side; what fills up are zeros:
 *
 *     direct    [oc / G][ic / B][kh][kw][B][G]        B: all input channels, or as many as lie side by side
 *     winograd  [f][oc / G][channels][G]              F(m × m, 3 × 3), f of (m + 2)²: G g Gᵀ of winograd.h
 *
 * BatchNorm is in them. Which of these a kernel reads is plan/'s to know. */
#ifndef VGG_CHECKPOINT_TENSOR_PREPACKED_ORDER_H
#define VGG_CHECKPOINT_TENSOR_PREPACKED_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vgg_order {
    VGG_ORDER_DIRECT,
    VGG_ORDER_WINOGRAD,
};

/* All that the order depends on but the weights' shape. */
struct vgg_order_info {
    enum vgg_order order;
    int m;        /* WINOGRAD: 2, 4 or 6; else 0 */
    int group;    /* G */
    int channels; /* DIRECT: B; WINOGRAD: input channels with those that fill up */
};

struct vgg_prepacked {
    const char *name; /* of the weight */
    struct vgg_order_info info;
    const void *
        data; /* float32, in this machine's byte order, at a multiple of 64 bytes; NULL where the file
                         is not so in memory */
    uint64_t bytes;
    uint64_t file_offset;
};

enum { VGG_PREPACKED_ALIGN_BYTES = 64 };

/* The number of float32 for a weight of this shape; false when there is no such order of it. */
bool vgg_prepacked_measure(const struct vgg_order_info *info, const int64_t *shape, int ndim,
                           uint64_t *elements);

/* "direct", "winograd"; and back: false when the name is none of them. */
const char *vgg_order_string(enum vgg_order order);
bool vgg_order_parse(const char *name, enum vgg_order *out);

#endif
