/* SPDX-License-Identifier: MIT */
/* What a checkpoint and the files beside it say of class names and preprocessing. */
#ifndef VGG_MODEL_INFER_FOUND_H
#define VGG_MODEL_INFER_FOUND_H

#include "base/load.h"
#include "model/spec/spec_types.h"

enum { VGG_FOUND_LABELS_MAX = 8, VGG_FOUND_WHERE_BYTES = 330 };

/* Class names, before it is known how many classes the net has. */
struct vgg_found_labels {
    /* "meta.CLASSES" */
    const char *where;
    struct vgg_labels labels;
    /* Why they cannot be used; NULL: they can. */
    const char *problem;
    /* They can only be class names, so that a problem is reported. */
    bool is_telling;
};

/* Settings of the net itself. */
struct vgg_found_net {
    /* A class of PyTorch, and where it was found; NULL: nothing says so. */
    const char *activation, *where;
    /* A setting that is not understood: file, key, expected, found; NULL: there is none. */
    const char *problem;
    /* The same of the activation, which a caller can give. */
    const char *activation_problem;
};

/* Each value with the place where it was found; NULL: it was not. */
struct vgg_found {
    struct vgg_found_net net;
    /* The first has precedence. */
    struct vgg_found_labels labels[VGG_FOUND_LABELS_MAX];
    size_t label_count;
    const char *values;
    float mean[3], std[3];
    bool unscaled;
    /* The size of the input; certain if the name of the value can mean nothing else. */
    const char *input;
    struct vgg_pixels size;
    bool is_input_certain;
    const char *resize, *crop, *interpolation;
    /* The file gives the crop, and the resize is what timm takes if nothing is said. */
    bool is_resize_default;
    /* Of resize, crop and interpolation. */
    struct vgg_preprocess steps;
};

/* Mean and std as they are in a file. */
struct vgg_found_pair {
    float mean[3], std[3];
    /* 1: for all channels, or 3. */
    size_t mean_count, std_count;
    /* "0.mean, 0.std" */
    char where[VGG_FOUND_WHERE_BYTES];
};

/* Takes mean and std if none was found before. Numbers that cannot be used are reported.
 * Errors: MEMORY. */
vgg_status vgg_found_add_values(const struct vgg_load *load, const struct vgg_found_pair *pair,
                                struct vgg_found *found);

/* Adds class names; the ninth and further ones are ignored. */
void vgg_found_add_labels(struct vgg_found *found, const struct vgg_found_labels *labels);

/* Completes a description that was inferred, or one that leaves these properties open. Class names that are not those of
 * the net's classes are not taken, and neither are ImageNet's folders (n01440764), which the published names
 * stand for; the log has the reason.
 * Errors: MEMORY. */
vgg_status vgg_found_apply(const struct vgg_load *load, const struct vgg_found *found,
                           struct vgg_spec *spec);

#endif
