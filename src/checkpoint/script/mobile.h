/* SPDX-License-Identifier: MIT */
/* Layers that torch.utils.mobile_optimizer.optimize_for_mobile packed: constants with weights and settings. */
#ifndef VGG_CHECKPOINT_SCRIPT_MOBILE_H
#define VGG_CHECKPOINT_SCRIPT_MOBILE_H

#include "checkpoint/script/recorder.h"

/* Whether a constant is such a layer. */
bool vgg_mobile_is_layer(const struct vgg_value *value);

/* Records the steps of a call "ops.prepacked.conv2d_clamp_run(x, CONSTANTS.c0)": a layer, and the ReLU or ReLU6 that its
 * bounds are.
 *   known  receives whether the call is one of these
 *   out    as of vgg_operation_call
 * Returns false after vgg_recorder_stop. */
bool vgg_mobile_call(struct vgg_recorder *recorder, struct vgg_span name,
                     const struct vgg_arguments *arguments, bool *known, struct vgg_term *out);

#endif
