/* SPDX-License-Identifier: MIT */
/* Names of tensors: whether they belong to a VGG, and the components that wrappers add. */
#ifndef VGG_CHECKPOINT_LOCATE_TENSOR_NAMES_H
#define VGG_CHECKPOINT_LOCATE_TENSOR_NAMES_H

#include "base/mem.h"
#include "checkpoint/pickle/value.h"

/* The part of a VGG that a tensor belongs to. */
enum vgg_name_part {
    VGG_NAME_OTHER,
    VGG_NAME_FEATURES,   /* a convolution or its BatchNorm: "features.0.weight", */
    VGG_NAME_CLASSIFIER, /* a linear layer: "classifier.6.bias", "classifier.weight" */
};

/* Finds the part after any prefix.
 *   prefix_length  receives the length of the prefix with its dot, 13 for "module.model.features.0.weight"; 0 for
 *                  VGG_NAME_OTHER */
enum vgg_name_part vgg_name_find_part(const char *name, size_t *prefix_length);

/* Whether a tensor is of what only training needs: losses, metrics, averages of weights. */
bool vgg_name_is_state(const char *name);

/* Whether a tensor can be the mean or the standard deviation of a normalisation of images: "0.mean",
 * "normalizer.new_std". */
bool vgg_name_is_constant(const char *name);

/* Whether a name is that of a layer's parameter or buffer: "features.0.weight". */
bool vgg_name_is_parameter(struct vgg_span name);

/* Removes the components that DataParallel, torch.compile and the like put inside a part: "features.module.0.weight"
 * becomes "features.0.weight". Other names stay as they are. Returns the name itself, a copy in the arena, or NULL
 * without memory. */
const char *vgg_name_clean(const char *name, struct vgg_arena *arena);

/* The length of the known prefixes of wrappers, one after the other, that all names have: "module.model." */
size_t vgg_names_common_prefix(const char *const *names, size_t count);

#endif
