/* From the tree of values to named tensors. */
#ifndef VGG_CHECKPOINT_STATE_DICT_H
#define VGG_CHECKPOINT_STATE_DICT_H

#include "checkpoint/storage.h"

/* Tensors in the order of the file, and an index by name. */
struct vgg_state_dict {
    struct vgg_tensor *tensors;
    size_t count;
    const struct vgg_tensor **by_name; /* [count], sorted by strcmp */
    /* Where each tensor lies, until vgg_state_dict_bind. */
    struct vgg_placement {
        struct vgg_storage *storage;
        uint64_t offset; /* of the first element, in bytes */
    } * placements;
};

/* Finds the state dict in a checkpoint (the root, or under "state_dict" and the like), checks every
 * tensor's geometry against its storage, marks these storages as wanted, and strips a prefix that
 * all names share ("module."). Values beside the tensors are passed over.
 * Errors: FORMAT, UNSUPPORTED, LIMIT, MEMORY; messages name the tensor. */
vgg_status vgg_state_dict_read(const struct vgg_pickle *pickle, const char *path,
                               const struct vgg_limits *limits, struct vgg_arena *arena,
                               struct vgg_state_dict *out, struct vgg_error *err);

/* Points the tensors into their storages, which have data now. */
void vgg_state_dict_bind(struct vgg_state_dict *dict);

#endif
