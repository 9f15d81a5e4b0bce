/* SPDX-License-Identifier: MIT */
/* Records where each property of the preprocessing comes from. */
#ifndef VGG_MODEL_NOTE_PREPROCESS_H
#define VGG_MODEL_NOTE_PREPROCESS_H

#include "model/model_types.h"

/* Adds records of the input size, resize, crop, interpolation, mean and std, and channels, as the options have made
 * them. Properties that an option gives are the caller's. */
void vgg_model_note_preprocess(vgg_model *model, const struct vgg_model_options *options);

#endif
