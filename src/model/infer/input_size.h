/* SPDX-License-Identifier: MIT */
/* Finds the input size of a net whose layers are known. */
#ifndef VGG_MODEL_INFER_INPUT_SIZE_H
#define VGG_MODEL_INFER_INPUT_SIZE_H

#include "model/infer/override.h"
#include "base/load.h"
#include "model/spec/spec_types.h"

/* Sets and records the input size of a net: a usual one at which the features end as large as the classifier takes
 * them; else the smallest one; else the caller's. What is recorded is the caller's if there is one.
 * Errors: MISMATCH (the layers do not show the size, or the caller's does not fit). */
vgg_status vgg_input_choose(const struct vgg_load *load, const struct vgg_overrides *overrides,
                            struct vgg_spec *spec);

#endif
