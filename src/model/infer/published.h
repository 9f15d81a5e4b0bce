/* SPDX-License-Identifier: MIT */
/* Compares a net with the published ones whose descriptions are built in. */
#ifndef VGG_MODEL_INFER_PUBLISHED_H
#define VGG_MODEL_INFER_PUBLISHED_H

#include "model/infer/outline.h"
#include "model/spec/spec_types.h"

/* A published net with the same convolutions. */
struct vgg_published {
    /* False: there is none, and the rest is not set. */
    bool found;
    struct vgg_spec spec;
    /* The numbers in the names count the same modules as torchvision's: pools are where the published net has them. */
    bool by_numbers;
    /* The classifier is the published one, for any number of classes: features, numbers and average pool. */
    bool usual_head;
    /* The same with the numbers, and ImageNet's classes, of a net that was converted from Caffe. */
    bool caffe_head;
};

/* Finds the published net whose convolutions the outline's are: channels, 3x3 kernels, BatchNorm, biases, and pools as
 * far as names show them. A net whose features do not end in a pool is found only under its own file name.
 * Errors: MEMORY. */
vgg_status vgg_published_find(const struct vgg_load *load, const struct vgg_outline *outline,
                              struct vgg_published *out);

/* Sets the gaps that names do not show to the published net's. */
void vgg_published_take_pools(const struct vgg_published *published, struct vgg_outline *outline);

/* Finds the published net that shares the most names with the tensors, if these are more than three quarters of its own
 * and one of them is a linear layer's: other nets have some names in common with a VGG, and features without classifier
 * are no incomplete net. False: there is none. */
bool vgg_published_find_closest(const struct vgg_load *load, const struct vgg_tensor_list *tensors,
                                struct vgg_spec *out);

#endif
