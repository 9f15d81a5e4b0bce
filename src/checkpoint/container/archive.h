/* SPDX-License-Identifier: MIT */
/* The interface of all containers. A container gives the object that was saved, as the tree of values that a
 * pickle of the object would give, and the storages that the object's tensors are views of.
 *
 * To add a container: write its `vgg_<name>_open` (`read`, `find_data`, `close`) in a file and header of its own,
 * its value in enum vgg_container, and a line in detect.c that recognises it. */
#ifndef VGG_CHECKPOINT_CONTAINER_ARCHIVE_H
#define VGG_CHECKPOINT_CONTAINER_ARCHIVE_H

#include "base/file.h"
#include "base/load.h"
#include "checkpoint/tensor/prepacked_order.h"
#include "checkpoint/container/storage.h"

/* An opened container. */
struct vgg_archive {
    struct vgg_load load;
    const struct vgg_file *file; /* borrowed, as what load points to */

    enum vgg_container kind;
    char writer[200]; /* what the container tells of who wrote it, after `read`; "" */
    /* Reads the object and the storages. NULL: they are those of `pickle`. */
    vgg_status (*read)(struct vgg_archive *archive, struct vgg_pickle *out,
                       struct vgg_storages *storages);
    struct vgg_pickle_source pickle;
    /* Finds the wanted storages' bytes; a container that stores them in sequence checks all. NULL: `read`
     * found them.
     *   pickle_bytes  the size of the pickle, which need not be all of `pickle` */
    vgg_status (*find_data)(struct vgg_archive *archive, size_t pickle_bytes,
                            struct vgg_storages *storages);
    /* The net's description in JSON, in the file; NULL: it has none. */
    const uint8_t *description;
    size_t description_bytes;
    /* What is prepacked of its weights; NULL: nothing. */
    struct vgg_prepacked *prepacked; /* [prepacked_count] */
    size_t prepacked_count;
    /* Frees `state`; the storages' data stays. NULL: nothing to free. */
    void (*close)(struct vgg_archive *archive);
    void *state;
};

/* A cleared struct is allowed. */
void vgg_archive_close(struct vgg_archive *archive);

/* By the archive's own functions. */
vgg_status vgg_archive_read(struct vgg_archive *archive, struct vgg_pickle *out,
                            struct vgg_storages *storages);
vgg_status vgg_archive_find_data(struct vgg_archive *archive, size_t pickle_bytes,
                                 struct vgg_storages *storages);

/* Copies archive->load for messages about a part of the file: the path becomes "FILE: PART". Errors: MEMORY. */
vgg_status vgg_archive_name_part(const struct vgg_archive *archive, const char *part,
                                 struct vgg_load *out);

/* Reads a pickle that must not refer to storages, at *offset of the file, and moves on.
 *   opcodes  a bound of its own, since a file may have many such pickles */
vgg_status vgg_archive_read_plain(const struct vgg_archive *archive, uint64_t opcodes,
                                  size_t *offset, size_t end, const struct vgg_value **out);

/* Reports a file that ends early: "vgg16.pth: truncated: 240 of 528 MB".
 *   expected  the size by the container's own account, in bytes
 *   exact     false: "of about" */
vgg_status vgg_archive_fail_truncated(const struct vgg_archive *archive, uint64_t expected,
                                      bool exact);

#endif
