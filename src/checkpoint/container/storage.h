/* SPDX-License-Identifier: MIT */
/* Storages: the blocks of elements outside the pickle that its tensors are views of. */
#ifndef VGG_CHECKPOINT_CONTAINER_STORAGE_H
#define VGG_CHECKPOINT_CONTAINER_STORAGE_H

#include "checkpoint/pickle/pickle.h"

struct vgg_storage {
    struct vgg_span key;
    const struct vgg_element_type *type;
    uint64_t count; /* elements */
    uint64_t bytes; /* count * type->bytes */
    bool meta;      /* on the device 'meta': without data */
    bool wanted;    /* a tensor of the state dict lies in it */
    /* Set by the container. Every wanted storage has data then, except those with layout PREPACKED. */
    const uint8_t *data;    /* [bytes] */
    uint64_t file_offset;   /* of data; VGG_NO_OFFSET when it is not in the file as is */
    bool swapped;           /* in the other byte order than this machine's */
    enum vgg_layout layout; /* not ROWS: it is one whole tensor */
};

/* All storages of a pickle, each once, sorted by key. */
struct vgg_storages {
    struct vgg_storage *items;
    size_t count;
};

/* Reads the persistent ids of a pickle,
 *   ('storage', class, key, location, count[, None or (view key, offset, count)]),
 * and points each PERSISTENT at its storage. Two different storages of one key are refused. */
vgg_status vgg_storages_collect(const struct vgg_load *load, const struct vgg_pickle *pickle,
                                struct vgg_storages *out);

/* The storage with this key, or NULL. */
struct vgg_storage *vgg_storages_find(const struct vgg_storages *storages, struct vgg_span key);

#endif
