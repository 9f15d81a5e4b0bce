/* SPDX-License-Identifier: MIT */
/* The interface of all containers. A container yields the saved object, as the tree of values that a pickle of it
 * holds, and the storages that its tensors are views of.
 *
 * To add a container: write its `vgg_<name>_open` (`read`, `find_data`, `close`) in a file and header of its own,
 * its value in enum vgg_container, and a line in detect.c that recognises it. */
#ifndef VGG_CHECKPOINT_CONTAINER_ARCHIVE_H
#define VGG_CHECKPOINT_CONTAINER_ARCHIVE_H

#include "base/file.h"
#include "base/load.h"
#include "checkpoint/tensor/prepacked_order.h"
#include "checkpoint/container/storage.h"

/* The bytes of one file in an archive. */
struct vgg_member {
    const uint8_t *data;
    size_t size;
    uint64_t file_offset; /* of data; VGG_NO_OFFSET when it is not in the file as is */
};

/* An opened container. The bytes of its file can change while they are read (base/file.h): a container parses nothing but
 * `head` and what vgg_archive_copy copies, and reads its files in place for the elements of tensors and to compare. */
struct vgg_archive {
    struct vgg_load load;
    const struct vgg_file *file; /* borrowed, as what load points to */
    /* [head_bytes] A copy of the file's first bytes, by which its kind is recognised. */
    const uint8_t *head;
    size_t head_bytes;

    enum vgg_container kind;
    /* What the container says about the program that wrote it; set by `read`. "": nothing. */
    char writer[200];
    /* Reads the object and the storages. NULL: they are those of `pickle`. */
    vgg_status (*read)(struct vgg_archive *archive, struct vgg_pickle *out,
                       struct vgg_storages *storages);
    struct vgg_pickle_source pickle;
    /* Sets the data of the wanted storages; a container that stores them in sequence checks all. NULL: `read`
     * has set them.
     *   pickle_bytes  the size of the pickle; `pickle` may have more bytes */
    vgg_status (*find_data)(struct vgg_archive *archive, size_t pickle_bytes,
                            struct vgg_storages *storages);
    /* The folder of the storages in an archive; NULL: "data/". */
    const char *storage_folder;
    /* Reads a member of the archive beside the pickle, of at most max bytes, and compares its CRC.
     *   name  within the archive's folder: "code/__torch__.py"
     *   out   data is NULL if there is no such member; else load->arena's
     * NULL: there are no members. Errors: FORMAT, LIMIT, UNSUPPORTED, MEMORY. */
    vgg_status (*read_member)(const struct vgg_archive *archive, const char *name, uint64_t max,
                              struct vgg_member *out);
    /* A copy of the net's description in JSON, which is inside the file; NULL: it has none. */
    const uint8_t *description;
    size_t description_bytes;
    /* Prepacked weights; NULL: none. */
    struct vgg_prepacked *prepacked; /* [prepacked_count] */
    size_t prepacked_count;
    /* Frees `state`; the storages' data stays. NULL: nothing to free. */
    void (*close)(struct vgg_archive *archive);
    void *state;
};

/* By its first bytes a file is recognised. The longest signature ends here, and as many zeros show that a file was never
 * written. */
enum { VGG_ARCHIVE_HEAD_BYTES = 4096 };

/* Copies bytes of the file into the arena, as all that is parsed must be. The caller bounds count.
 *   thing  what it is, for messages
 * Errors: FORMAT (the file does not have them), MEMORY. */
vgg_status vgg_archive_copy(const struct vgg_archive *archive, uint64_t offset, size_t count,
                            const char *thing, const uint8_t **out);

/* A cleared struct is allowed. */
void vgg_archive_close(struct vgg_archive *archive);

/* Call `read` and `find_data` where the container has them. */
vgg_status vgg_archive_read(struct vgg_archive *archive, struct vgg_pickle *out,
                            struct vgg_storages *storages);
vgg_status vgg_archive_find_data(struct vgg_archive *archive, size_t pickle_bytes,
                                 struct vgg_storages *storages);

/* Copies archive->load for messages about a part of the file: the path becomes "FILE: PART". Errors: MEMORY. */
vgg_status vgg_archive_name_part(const struct vgg_archive *archive, const char *part,
                                 struct vgg_load *out);

/* Reads a pickle that must not refer to storages, at *offset of the file, and moves *offset to its end.
 *   opcodes  the limit of this pickle: a file may have many of them */
vgg_status vgg_archive_read_plain(const struct vgg_archive *archive, uint64_t opcodes,
                                  size_t *offset, size_t end, const struct vgg_value **out);

/* Reports a file that ends early: "vgg16.pth: truncated: 240 of 528 MB".
 *   expected  the size that the container states, in bytes
 *   exact     false: "of about" */
vgg_status vgg_archive_fail_truncated(const struct vgg_archive *archive, uint64_t expected,
                                      bool exact);

#endif
