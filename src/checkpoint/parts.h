/* SPDX-License-Identifier: MIT */
/* The files of a checkpoint: one, or several shards whose tensors are one net. */
#ifndef VGG_CHECKPOINT_PARTS_H
#define VGG_CHECKPOINT_PARTS_H

#include "checkpoint/container/archive.h"
#include "checkpoint/shards.h"

/* A file that stays mapped as long as the checkpoint is open. */
struct vgg_part {
    const char *path;
    struct vgg_file file;
    enum vgg_container container;
};

struct vgg_parts {
    struct vgg_part *items; /* [count] */
    size_t count;
};

/* What is read of the files, until the tensors have their data. */
struct vgg_parts_reader {
    struct vgg_load load;
    struct vgg_parts *parts;
    /* Its count is 0 for a single file. */
    struct vgg_shards shards;
    /* [parts->count] each */
    struct vgg_archive *archives;
    struct vgg_pickle *pickles;
    struct vgg_storages *storages;
};

/* Maps the file load->path, or the shards that it stands for.
 * Errors: IO, FORMAT, UNSUPPORTED, LIMIT, MEMORY; the parts that are open are the caller's to close. */
vgg_status vgg_parts_map(struct vgg_parts_reader *reader);

/* Stands for bytes that belong to the caller, which are a single file. Errors: MEMORY. */
vgg_status vgg_parts_borrow(struct vgg_parts_reader *reader, const void *bytes, size_t count);

/* Reads what was saved: of shards the tensors of all of them, in the order of the index.
 * Errors: as a container's; also FORMAT and MISMATCH (shards that are no state dicts or lack tensors of the index). */
vgg_status vgg_parts_read(struct vgg_parts_reader *reader, struct vgg_pickle *out);

/* Finds the wanted storages' bytes in all files.
 *   out  all storages */
vgg_status vgg_parts_find_data(struct vgg_parts_reader *reader, struct vgg_storages *out);

/* Frees what only reading needs. A cleared struct is allowed. */
void vgg_parts_finish(struct vgg_parts_reader *reader);

/* Unmaps all files. */
void vgg_parts_close(struct vgg_parts *parts);

#endif
