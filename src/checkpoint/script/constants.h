/* SPDX-License-Identifier: MIT */
/* The constants of the code of a TorchScript archive: constants.pkl and its storages. */
#ifndef VGG_CHECKPOINT_SCRIPT_CONSTANTS_H
#define VGG_CHECKPOINT_SCRIPT_CONSTANTS_H

#include "checkpoint/container/archive.h"

/* Reads constants.pkl.
 *   out       the root is a tuple or list
 *   storages  of the tensors; none if there is no such member, or it has no tensors
 * Errors: FORMAT, LIMIT, UNSUPPORTED, MEMORY. */
vgg_status vgg_constants_read(const struct vgg_archive *archive, struct vgg_pickle *out,
                              struct vgg_storages *storages);

/* Reads a constant that is a tensor of one float and no dimensions; false: it is none. */
bool vgg_constants_get_real(const struct vgg_archive *archive, const struct vgg_value *value,
                            double *out);

#endif
