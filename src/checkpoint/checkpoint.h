/* SPDX-License-Identifier: MIT */
/* The state of an opened checkpoint. */
#ifndef VGG_CHECKPOINT_CHECKPOINT_H
#define VGG_CHECKPOINT_CHECKPOINT_H

#include "checkpoint/parts.h"
#include "checkpoint/locate/state_dict.h"
#include "checkpoint/script/script_types.h"

struct vgg_checkpoint {
    struct vgg_context context;
    struct vgg_parts parts;
    struct vgg_arena arena; /* owns everything below */
    const char *path;
    enum vgg_container container;
    const struct vgg_value *root; /* all that was saved */
    struct vgg_state_dict dict;
    const char *writer;         /* the program that wrote it, as far as known */
    const uint8_t *description; /* [description_bytes] the net's, in JSON; or NULL */
    size_t description_bytes;
    struct vgg_prepacked *prepacked; /* [prepacked_count], sorted by name; or NULL */
    size_t prepacked_count;
    const char *class_name;    /* of a whole or TorchScript module; or NULL */
    const char **module_types; /* [location.modules.count] their classes */
    struct vgg_script script;  /* what the code of a TorchScript archive says */
};

/* The context that it was opened with, without the limits. */
const struct vgg_context *vgg_checkpoint_get_context(const struct vgg_checkpoint *checkpoint);

/* The prepacked weights of this name in a packed file, one for each order; borrowed until close. *count may be 0. */
const struct vgg_prepacked *vgg_checkpoint_find_prepacked(const struct vgg_checkpoint *checkpoint,
                                                          const char *name, size_t *count);

/* Whether a tensor is the mean or the standard deviation of a normalisation of images, by its name and shape: one number
 * or three. It is no weight of a layer. */
bool vgg_tensor_is_constant(const struct vgg_tensor *tensor);

#endif
