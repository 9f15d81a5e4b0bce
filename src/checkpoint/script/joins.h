/* SPDX-License-Identifier: MIT */
/* Two functions of one input whose results are joined into one layer: AdaptiveConcatPool2d, and SiLU as a product. */
#ifndef VGG_CHECKPOINT_SCRIPT_JOINS_H
#define VGG_CHECKPOINT_SCRIPT_JOINS_H

#include "checkpoint/script/recorder.h"

/* Whether a pool has the input and the size of the last step, which is the other adaptive pool: of the mean or the maximum.
 *   type  its class */
bool vgg_join_is_other_pool(const struct vgg_recorder *recorder, const char *type,
                            const struct vgg_term *input, const struct vgg_term *size);

/* Makes the last step the layer that a call joins it to: "torch.cat([max, mean], 1)", "torch.mul(x, torch.sigmoid(x))".
 *   known  receives whether the call is one of these
 *   out    receives the layer's output
 * Returns false after vgg_recorder_stop. */
bool vgg_join_call(struct vgg_recorder *recorder, struct vgg_span name,
                   const struct vgg_arguments *arguments, bool *known, struct vgg_term *out);

#endif
