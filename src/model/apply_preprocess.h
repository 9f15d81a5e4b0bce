/* SPDX-License-Identifier: MIT */
/* Applies a caller's options to a description's preprocessing. */
#ifndef VGG_MODEL_APPLY_PREPROCESS_H
#define VGG_MODEL_APPLY_PREPROCESS_H

#include "base/status.h"
#include "vgg/model.h"

/* Changes the sizes. Each option changes one property:
 *   height, width   the crop, which is the input's size; and the resize in the same proportion
 *   resize          the resize, to which a larger crop is cut; one to height and width replaces a crop of the whole
 *                   resized image, which then is the input
 *   crop            the crop, which is the input's size
 *   dense           no crop, unless one of the above has it
 *   height, width  in: the description's input size; out: the model's
 * Errors: ARGUMENT. */
vgg_status vgg_preprocess_apply_sizes(const struct vgg_model_options *options,
                                      struct vgg_preprocess *preprocess, int *height, int *width,
                                      struct vgg_error *err);

/* Changes the interpolation, the channels, mean and std.
 *   channels  of the net's input
 * Errors: ARGUMENT (an unknown name; channels that the net does not have; a number out of range). */
vgg_status vgg_preprocess_apply_values(const struct vgg_model_options *options, int channels,
                                       struct vgg_preprocess *preprocess, struct vgg_error *err);

/* Whether an option changes the size of the input, or all of mean and std. */
bool vgg_preprocess_gives_size(const struct vgg_model_options *options);
bool vgg_preprocess_gives_values(const struct vgg_model_options *options);

#endif
