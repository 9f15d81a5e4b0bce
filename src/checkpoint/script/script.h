/* SPDX-License-Identifier: MIT */
/* What the code of a TorchScript archive says of the net: which modules and functions run in which order, and with
 * which settings. */
#ifndef VGG_CHECKPOINT_SCRIPT_SCRIPT_H
#define VGG_CHECKPOINT_SCRIPT_SCRIPT_H

#include "checkpoint/container/archive.h"
#include "checkpoint/locate/locate.h"
#include "checkpoint/script/script_types.h"

/* Follows the code of a net in an archive.
 *   location  where the net is in the archive's object
 * Code that is malformed or not understood is no error: out->outcome says so. Errors: MEMORY. */
vgg_status vgg_script_read(const struct vgg_archive *archive, const struct vgg_location *location,
                           struct vgg_script *out);

/* Follows the code of a module whose weights are constants of the code.
 *   module     the archive's object
 *   constants  a tuple or list
 *   tensors    receives the constants that are weights, each under the name of its step: "conv1.weight"
 * Errors: MEMORY. */
vgg_status vgg_script_read_frozen(const struct vgg_archive *archive, const struct vgg_value *module,
                                  const struct vgg_value *constants, struct vgg_script *out,
                                  struct vgg_named_list *tensors);

#endif
