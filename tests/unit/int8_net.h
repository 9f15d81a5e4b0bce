/* SPDX-License-Identifier: MIT */
/* A small int8 net in memory, and its results computed as kernels/int8.h words them. */
#ifndef VGG_TESTS_INT8_NET_H
#define VGG_TESTS_INT8_NET_H

#include "model/spec/spec.h"
#include "plan_net.h"

enum { INT8_H = 37, INT8_W = 30, INT8_LARGEST = 70 * INT8_H * INT8_W };

/* No number of channels is one of whole groups or blocks, and pools drop rows and columns:
 *     conv 3->20, ReLU, conv 20->70, ReLU, pool, conv 70->33 of 5 x 5 and stride 2, ReLU, pool of 3 x 3 and
 *     stride 2, conv 33->130 of 1 x 1, ReLU, avgpool to 2 x 3, flatten, linear 780->75, ReLU, dropout, linear to
 *     NET_CLASSES */
struct int8_net {
    struct net net;
    struct vgg_int8_grid grid;
};
struct int8_net *int8_net_create(void);
void int8_net_destroy(struct int8_net *net);

/* The logits of one image [3][INT8_H][INT8_W].
 *   see  NULL, or called after each node but convolutions and linear layers with what it gave, [c][h][w] bytes
 *        times their scale */
typedef void int8_see_fn(void *user, size_t node, struct vgg_shape shape, const float *numbers);
void int8_net_compute(const struct int8_net *net, const float *input, float *logits,
                      int8_see_fn *see, void *user);

#endif
