/* SPDX-License-Identifier: MIT */
/* Operations on shapes that are a layer only together. */
#ifndef VGG_CHECKPOINT_SCRIPT_SHAPES_H
#define VGG_CHECKPOINT_SCRIPT_SHAPES_H

#include "checkpoint/script/recorder.h"

/* Follows a call if it is one of them: leaves its result to be completed, or adds the layers that both calls are.
 *   known  receives whether it was
 * Returns false after it has stopped. */
bool vgg_shapes_call(struct vgg_recorder *recorder, struct vgg_span name,
                     const struct vgg_arguments *arguments, bool *known, struct vgg_term *out);

#endif
