/* SPDX-License-Identifier: MIT */
/* The attributes of layers in a whole module or a TorchScript archive. */
#ifndef VGG_CHECKPOINT_MODULE_H
#define VGG_CHECKPOINT_MODULE_H

#include "checkpoint/checkpoint.h"

/* Values of attributes that are not in the file, or are unlike those of any VGG (two different sides, a text). */
enum { VGG_MODULE_UNKNOWN = -1, VGG_MODULE_UNUSUAL = -2 };

struct vgg_module {
    const char *name; /* "features.4" */
    const char *type; /* the class: "MaxPool2d" */
    /* Sides in pixels, and counts; at least 0, or one of the two above. */
    int64_t kernel, stride, padding, dilation, groups, output;
    int64_t ceil_mode; /* 0, 1 */
    double eps;        /* NaN: unknown */
};

/* The number of modules, and each of them in the order of the file. A state dict has none. */
size_t vgg_checkpoint_get_module_count(const struct vgg_checkpoint *checkpoint);
/* The strings belong to the checkpoint. */
void vgg_checkpoint_get_module(const struct vgg_checkpoint *checkpoint, size_t index,
                               struct vgg_module *out);

#endif
