/* SPDX-License-Identifier: MIT */
/* Random chains of all kinds of layers, and what each layer computes, in plain loops and double precision. */
#ifndef VGG_TESTS_GENERAL_NET_H
#define VGG_TESTS_GENERAL_NET_H

#include "model/graph/graph.h"

enum { GENERAL_NODES = 32, GENERAL_TENSORS = 96 };

struct general_net {
    struct vgg_node nodes[GENERAL_NODES];
    size_t count;
    struct vgg_tensor tensors[GENERAL_TENSORS];
    size_t tensor_count;
    /* Of the input, and of what the last node that was added gives. */
    struct vgg_shape input, shape;
    /* Nothing but features since the flattening. */
    bool flat;
    uint32_t random;
};

/* An empty net for such an input. */
struct general_net *general_net_begin(uint32_t seed, struct vgg_shape input);
/* A whole net, drawn by the seed. */
struct general_net *general_net_create(uint32_t seed);
void general_net_destroy(struct general_net *net);

/* A number from low to high. */
int general_net_draw(struct general_net *net, int low, int high);
/* A tensor of random numbers; the first side of 0 ends its shape. */
const struct vgg_tensor *general_net_add_tensor(struct general_net *net, const int shape[4],
                                                float low, float high);
/* Appends a node and sets the shape. */
struct vgg_node *general_net_add(struct general_net *net, struct vgg_node node);
/* The same for layers with weights, whose input is what the net gives so far. */
void general_net_add_conv(struct general_net *net, int oc, int kernel, int stride, int padding);
void general_net_add_general_conv(struct general_net *net, int oc, int groups,
                                  const struct vgg_window *window);
void general_net_add_norm(struct general_net *net);
void general_net_add_linear(struct general_net *net, int out);
void general_net_add_function(struct general_net *net, enum vgg_activation_kind kind);

/* An input of `count` images, to be freed. */
float *general_net_make_input(const struct general_net *net, size_t count);

/* Elements of an activation. */
size_t general_count(struct vgg_shape shape);
/* The output of a node, to be freed; *shape is that of `in`, and then that of the output. */
double *general_compute(const struct vgg_node *node, struct vgg_shape *shape, const double *in);

#endif
