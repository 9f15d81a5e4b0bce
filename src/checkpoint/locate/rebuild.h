/* SPDX-License-Identifier: MIT */
/* Reads a tensor from the values of a pickle. */
#ifndef VGG_CHECKPOINT_LOCATE_REBUILD_H
#define VGG_CHECKPOINT_LOCATE_REBUILD_H

#include "checkpoint/container/storage.h"

/* The place of a tensor. */
struct vgg_placement {
    struct vgg_storage *storage;
    uint64_t offset; /* of the first element, in bytes */
};

/* Whether a value claims to be a tensor or Parameter, in any encoding. */
bool vgg_value_is_tensor(const struct vgg_value *value);

/* Whether a value is an array of NumPy. */
bool vgg_value_is_array(const struct vgg_value *value);

/* Reads a tensor's geometry and checks that every element lies in its storage.
 *   name  of the tensor, for messages
 *   out   all but name, data, file_offset and swapped
 * Errors: FORMAT, UNSUPPORTED, LIMIT. */
vgg_status vgg_tensor_rebuild(const struct vgg_load *load, const struct vgg_value *value,
                              const char *name, struct vgg_tensor *out,
                              struct vgg_placement *placement);

#endif
