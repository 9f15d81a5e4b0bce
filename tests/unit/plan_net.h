/* SPDX-License-Identifier: MIT */
/* A small net in memory for the plan's tests, and its results computed in double precision. */
#ifndef VGG_TESTS_PLAN_NET_H
#define VGG_TESTS_PLAN_NET_H

#include "model/graph/graph.h"

enum {
    NET_NODES = 18,
    NET_TENSORS = 24,
    NET_H = 17,
    NET_W = 14,
    NET_CLASSES = 10,
    NET_LARGEST = 40 * NET_H * NET_W, /* elements of the largest activation of one image */
};

/* No number of channels is a multiple of any ISA's lanes, and pools drop a row and a column:
 *     conv 3->5, BatchNorm, ReLU, conv 5->19 without bias, ReLU, pool, conv 19->21 of 1 x 1,
 *     BatchNorm without weights, pool, conv 21->7 of 5 x 5, ReLU, avgpool to 3 x 2, flatten,
 *     linear, BatchNorm, ReLU, dropout, linear without bias */
struct net {
    struct vgg_node nodes[NET_NODES];
    size_t count;
    struct vgg_tensor tensors[NET_TENSORS];
    size_t tensor_count;
    uint32_t random;
};

struct net *net_create(void);
/* A net of 3 x 3 kernels, which Winograd computes but for the first, for images of any size from 4 x 4
 * to NET_H x NET_W or the like:
 *     conv 3->20, ReLU, conv 20->37 without bias, BatchNorm, ReLU, pool, conv 37->40, ReLU,
 *     conv 40->33, pool, avgpool to 2 x 1, flatten, linear */
struct net *net_create_small_kernels(void);
/* A net whose classifier moves over the image:
 *     conv 3->20, ReLU, conv 20->33, pool, dense 33->27 of 3 x 3, BatchNorm, ReLU, dropout, dense 27->10
 *     without bias, average, flatten */
struct net *net_create_dense(void);
/* Stores the weights of fully connected layers in columns, as numbers of this type. */
void net_store_in_columns(struct net *net, enum vgg_dtype dtype);
/* Stores them as numbers of 16 bits, in rows as they are. */
void net_store_in_halves(struct net *net, enum vgg_dtype dtype);
void net_destroy(struct net *net);

/* An input of `count` images, [count][3][h][w], to be freed. */
float *net_make_input(size_t count, int h, int w);

/* The output of node `index` for `in`, one image's NCHW output [shape] of the node before it,
 * computed in double precision and rounded once. Returns its shape. */
struct vgg_shape net_compute(const struct net *net, size_t index, struct vgg_shape shape,
                             const float *in, float *out);

#endif
