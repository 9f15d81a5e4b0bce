/* SPDX-License-Identifier: MIT */
/* TorchScript archives whose weights are constants of the code: those of torch.jit.freeze. */
#ifndef VGG_CHECKPOINT_SCRIPT_FROZEN_H
#define VGG_CHECKPOINT_SCRIPT_FROZEN_H

#include "checkpoint/container/archive.h"
#include "checkpoint/script/script_types.h"

/* Follows the code, and takes the constants that it uses as weights instead of the archive's object.
 *   pickle    the archive's object; receives a state dict, with names by use: "conv1.weight"
 *   storages  receives those of the constants
 *   script    its outcome is FOLLOWED after that; NONE: the archive has no such constants, and nothing was changed
 * Errors: UNSUPPORTED (code that is not understood, or no chain of layers), FORMAT, LIMIT, MEMORY. */
vgg_status vgg_frozen_read(struct vgg_archive *archive, struct vgg_pickle *pickle,
                           struct vgg_storages *storages, struct vgg_script *script);

#endif
