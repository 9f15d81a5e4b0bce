/* SPDX-License-Identifier: MIT */
/* The functions of PyTorch that are layers: their parameters, and the module that computes the same. */
#ifndef VGG_CHECKPOINT_SCRIPT_OPERATIONS_H
#define VGG_CHECKPOINT_SCRIPT_OPERATIONS_H

#include "checkpoint/script/recorder.h"

struct vgg_operation;

/* Finds a function by its qualified name: "torch.relu_", "__torch__.torch.nn.functional.batch_norm". NULL: it is no
 * layer. */
const struct vgg_operation *vgg_operation_find(struct vgg_span name);

/* Whether a function is defined in torch.nn.functional, and so has a name that users know. */
bool vgg_operation_is_of_torch(struct vgg_span name);

/* Records the steps of a call, if its input is the output of the last step.
 *   name  that it is called by
 *   out   receives the result; DERIVED if these arguments make it no layer
 * Returns false after vgg_recorder_stop. */
bool vgg_operation_call(const struct vgg_operation *operation, struct vgg_span name,
                        const struct vgg_arguments *arguments, struct vgg_recorder *recorder,
                        struct vgg_term *out);

#endif
