/* SPDX-License-Identifier: MIT */
/* What is done to an image before it enters the net. */
#ifndef VGG_PREPROCESS_H
#define VGG_PREPROCESS_H

#include <stdbool.h>

#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How images are resized: Pillow's filters, antialiased when an image shrinks; nearest never is. */
enum vgg_interpolation {
    VGG_INTERPOLATION_BILINEAR, /* torchvision's default */
    VGG_INTERPOLATION_BICUBIC,
    VGG_INTERPOLATION_NEAREST,
    VGG_INTERPOLATION_LANCZOS,
};
/* "bilinear", "bicubic", "nearest", "lanczos". Never NULL. */
VGG_API const char *vgg_interpolation_string(enum vgg_interpolation interpolation);
/* False, and *out untouched, for another name. Both thread-safe. */
VGG_API bool vgg_interpolation_parse(const char *name, enum vgg_interpolation *out);

/* What torchvision's transforms do to a PIL image:
 * Grayscale() · Resize(resize) · CenterCrop(crop) · ToTensor() · Normalize(mean, std).
 * Zero in a field that was added later is the behaviour of before. */
struct vgg_preprocess {
    /* The preset's name, or "custom". */
    char name[32];
    /* Without resize_width the shorter side in pixels, 0 … 65535: Resize(resize), which keeps the aspect. 0: no
     * resize. */
    int resize;
    /* Side of the centre crop in pixels, 0 … 65535. What is smaller is padded with black. 0: no crop. */
    int crop;
    /* R, G, B, for pixels scaled to 0…1, or as they are if unscaled. One plane has the first. 0: as ToTensor() alone. */
    float mean[3];
    /* R, G, B; none is 0. 1: as ToTensor() alone. */
    float std[3];
    /* The width of a crop that is no square, and `crop` its height; 0: it is one. */
    int crop_width;
    /* 1: the planes are B, G, R instead, each with its own mean and std. */
    int bgr;
    /* 1: pixels stay 0…255, as Caffe has them. */
    int unscaled;
    /* Resize((resize, resize_width)): every image becomes `resize` high and resize_width wide, whatever its aspect;
     * resize is not 0. 0: see resize. */
    int resize_width;
    enum vgg_interpolation interpolation;
    /* 1: the image is converted to gray before it is resized, as PIL's "L", and all planes are the same. */
    int gray;
    /* Planes of the tensor: 3, or 1, which is gray without being said; 0: 3. A net with another number of input channels
     * has it here, and vgg_image_to_tensor refuses it: no image has them. */
    int channels;
    uint32_t reserved[1];
};

/* A built-in preset by name:
 *   imagenet  256 → 224, ImageNet's mean and std: all published torchvision classifiers
 *   features  256 → 224, the ranges of vgg16's IMAGENET1K_FEATURES weights
 *   cifar     32 → 32, mean and std 0.5
 *   caffe     256 → 224, B, G, R of 0…255 less their means: nets converted from Caffe
 *   vgg-face  the same with the means of faces: VGG-Face
 * Fills *out; ARGUMENT names the presets there are. Thread-safe. */
VGG_API vgg_status vgg_preprocess_find(const char *name, struct vgg_preprocess *out,
                                       struct vgg_error *err);

#ifdef __cplusplus
}
#endif
#endif
