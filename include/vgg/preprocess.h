/* SPDX-License-Identifier: MIT */
/* What is done to an image before it enters the net. */
#ifndef VGG_PREPROCESS_H
#define VGG_PREPROCESS_H

#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Resize, crop, scale to 0…1 and normalise, as torchvision's transforms on a PIL image do:
 * Resize(resize) · CenterCrop(crop) · ToTensor() · Normalize(mean, std). */
struct vgg_preprocess {
    char name[32];  /* the preset's name, or "custom" */
    int resize;     /* the shorter side in pixels, aspect kept; 0: no resize */
    int crop;       /* side of the square centre crop in pixels; 0: no crop */
    float mean[3];  /* R, G, B, for pixels scaled to 0…1, or as they are */
    float std[3];   /* R, G, B; none is 0 */
    int crop_width; /* of a crop that is no square, and `crop` its height; 0: it is one */
    int bgr;        /* 1: the planes are B, G, R instead, each with its own mean and std */
    int unscaled;   /* 1: pixels stay 0…255, as Caffe has them */
    uint32_t reserved[5];
};

/* A built-in preset by name:
 *   imagenet  256 → 224, ImageNet's mean and std: all published torchvision classifiers
 *   features  256 → 224, the ranges of vgg16's IMAGENET1K_FEATURES weights
 *   cifar     32 → 32, mean and std 0.5
 *   caffe     256 → 224, B, G, R of 0…255 less their means: nets converted from Caffe
 * Fills *out; ARGUMENT names the presets there are. Thread-safe. */
VGG_API vgg_status vgg_preprocess_find(const char *name, struct vgg_preprocess *out,
                                       struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
