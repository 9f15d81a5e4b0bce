/* SPDX-License-Identifier: MIT */
/* Makes named tensors from the tree of values. */
#ifndef VGG_CHECKPOINT_LOCATE_STATE_DICT_H
#define VGG_CHECKPOINT_LOCATE_STATE_DICT_H

#include "checkpoint/locate/locate.h"
#include "checkpoint/locate/fold.h"
#include "checkpoint/locate/rebuild.h"

/* Tensors in the order of the file, and an index by name. */
struct vgg_state_dict {
    struct vgg_tensor *tensors;
    size_t count;
    const struct vgg_tensor **by_name; /* [count], sorted by strcmp */
    struct vgg_location location;      /* where they were found */
    struct vgg_fold_list parts;        /* all that were read, then those computed from pairs */
    struct vgg_placement *placements;  /* [read_count] */
    size_t read_count;
    size_t *index; /* [count]: each tensor among the parts */
};

/* Finds the net's tensors (vgg_locate), checks the geometry of each against its storage, marks these storages as
 * wanted, and finds weights that are stored as two tensors (vgg_folds_find).
 *   key  selects one of several nets; or NULL
 * Errors: FORMAT, UNSUPPORTED, MISMATCH, LIMIT, MEMORY; messages name the tensor. */
vgg_status vgg_state_dict_read(const struct vgg_load *load, const struct vgg_pickle *pickle,
                               const char *key, struct vgg_state_dict *out);

/* Points the tensors into their storages, which have data now.
 *   compute  whether to compute weights that are stored as two tensors; else they have no data
 * Errors: LIMIT (the computed weights would be larger than the file), MEMORY. */
vgg_status vgg_state_dict_bind(const struct vgg_load *load, struct vgg_state_dict *dict,
                               const struct vgg_storages *storages, bool compute);

#endif
