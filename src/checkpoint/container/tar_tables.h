/* SPDX-License-Identifier: MIT */
/* The tables of a tar checkpoint: its storages and tensors by their integer keys. */
#ifndef VGG_CHECKPOINT_CONTAINER_TAR_TABLES_H
#define VGG_CHECKPOINT_CONTAINER_TAR_TABLES_H

#include "checkpoint/container/tar_members.h"
#include "checkpoint/container/tensor_value.h"

enum { VGG_TAR_KEY_DIGITS = 20 }; /* of a key as a text */

/* A storage, or a part of one that has a key of its own. */
struct vgg_tar_part {
    int64_t key;
    struct vgg_storage *storage;
    uint64_t offset, count; /* in elements */
};

struct vgg_tar_tensor {
    int64_t key;
    struct vgg_tensor_view view;
    struct vgg_value *value; /* made when it is first used */
};

struct vgg_tar_tables {
    struct vgg_storage *storages; /* [storage_count], in the file's order */
    size_t storage_count;
    struct vgg_tar_part *parts; /* [part_count], sorted by key */
    size_t part_count;
    struct vgg_tar_tensor *tensors; /* [tensor_count], sorted by key */
    size_t tensor_count;
};

/* Reads the members storages and tensors into *out, which the caller has cleared; all it points to is in the arena.
 * Errors: FORMAT, UNSUPPORTED (too many dimensions), LIMIT, MEMORY. */
vgg_status vgg_tar_tables_read(const struct vgg_archive *archive,
                               const struct vgg_tar_member members[VGG_TAR_MEMBERS],
                               struct vgg_tar_tables *out);

/* The part or tensor with this key, or NULL. */
struct vgg_tar_part *vgg_tar_find_part(const struct vgg_tar_tables *tables, int64_t key);
struct vgg_tar_tensor *vgg_tar_find_tensor(const struct vgg_tar_tables *tables, int64_t key);

#endif
