/* SPDX-License-Identifier: MIT */
/* Recognises a LocalResponseNorm by its arithmetic: a trace has the operations of the module, and not its name. */
#ifndef VGG_CHECKPOINT_SCRIPT_LOCAL_RESPONSE_H
#define VGG_CHECKPOINT_SCRIPT_LOCAL_RESPONSE_H

#include "checkpoint/script/recorder.h"

/* Follows x / (k + alpha * mean(x * x))^beta, where the mean is that of neighbouring channels.
 *   known  receives whether the call is the next operation of it
 *   out    receives what the call gives; the layer's output after the last one
 * Returns false after vgg_recorder_stop. */
bool vgg_local_response_call(struct vgg_recorder *recorder, struct vgg_span name,
                             const struct vgg_arguments *arguments, bool *known,
                             struct vgg_term *out);

#endif
