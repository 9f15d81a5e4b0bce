/* SPDX-License-Identifier: MIT */
/* Follows a function in the code of a TorchScript archive from its input to its result, without running it: numbers
 * that are in the code are known, tensors are not. */
#ifndef VGG_CHECKPOINT_SCRIPT_FOLLOW_H
#define VGG_CHECKPOINT_SCRIPT_FOLLOW_H

#include "checkpoint/script/expression.h"

void vgg_follower_init(struct vgg_code *code, struct vgg_recorder *recorder,
                       struct vgg_arena *scratch, struct vgg_follower *out);

/* Whether a module is one of PyTorch's C++ library, and of tch: a tree of tensors, whose code is in the program. */
bool vgg_follow_is_plain(const struct vgg_follower *follower, const struct vgg_value *module);

/* Follows a module's forward on data 0, and records its steps.
 *   module  an object with a dict as its state
 *   result  receives what forward returns
 * Returns false after vgg_recorder_stop. */
bool vgg_follow_forward(struct vgg_follower *follower, const struct vgg_value *module,
                        struct vgg_term *result);

#endif
