/* SPDX-License-Identifier: MIT */
/* Reads the preprocessing in a description. */
#ifndef VGG_MODEL_SPEC_READ_PREPROCESS_H
#define VGG_MODEL_SPEC_READ_PREPROCESS_H

#include "base/json.h"
#include "base/load.h"
#include "vgg/preprocess.h"

/* The bounds of mean and std, in descriptions and options alike. */
#define VGG_MAX_MEAN 1e6
#define VGG_MIN_STD 1e-6

/* Reads a list of three numbers for R, G and B, or a single number for all of them.
 * Errors: FORMAT (a number below min). */
vgg_status vgg_spec_read_rgb(const struct vgg_load *load, const char *key,
                             const struct vgg_json *list, double min, float out[3]);

/* Reads a preset's name or an object. Sizes that the object does not have are those of the input.
 *   height, width  of the input, which images must fit after the crop
 * Errors: FORMAT. */
vgg_status vgg_spec_read_preprocess(const struct vgg_load *load, const struct vgg_json *item,
                                    int height, int width, struct vgg_preprocess *out);

#endif
