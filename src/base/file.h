/* SPDX-License-Identifier: MIT */
/* Files: mapped read-only, or read whole where mapping is impossible. */
#ifndef VGG_BASE_FILE_H
#define VGG_BASE_FILE_H

#include <stdbool.h>

#include "base/status.h"

/* A file's bytes: a private read-only mapping from vgg_file_map, a copy from vgg_file_read.
 *
 * The bytes of a mapping, and those that a caller lends, can change at any time: another process may write to the file.
 * They end at vgg_file_copy. Only the elements of tensors are read in place, as values; whatever is parsed (headers,
 * directories, pickles, tables, texts), and every number that becomes a length, an offset or an index, is copied once
 * into private memory and read there alone. */
struct vgg_file {
    const uint8_t *data; /* [size]; not NULL even when size is 0 */
    size_t size;
    enum vgg_file_origin {
        VGG_FILE_NONE,
        VGG_FILE_MAPPED,
        VGG_FILE_COPY,
        VGG_FILE_BORROWED
    } origin;
    struct vgg_allocator allocator; /* of a copy */
};

/* Maps a regular file. Errors: IO (with errno), UNSUPPORTED (a folder, pipe or device), LIMIT. */
vgg_status vgg_file_map(const char *path, uint64_t max_bytes, struct vgg_file *out,
                        struct vgg_error *err);
/* Reads an image of any kind of file, pipes too, to its end; "-" is standard input. Errors as above, and
 * MEMORY. Reads at most max_bytes + 1. */
vgg_status vgg_file_read(const char *path, uint64_t max_bytes,
                         const struct vgg_allocator *allocator, struct vgg_file *out,
                         struct vgg_error *err);
/* The same for a regular file only, as every file beside the images has to be: a FIFO must not be waited for, and a
 * device has no end. */
vgg_status vgg_file_read_regular(const char *path, uint64_t max_bytes,
                                 const struct vgg_allocator *allocator, struct vgg_file *out,
                                 struct vgg_error *err);
/* Wraps bytes that the caller owns. */
void vgg_file_borrow(const void *bytes, size_t count, struct vgg_file *out);
/* Copies count bytes at an offset, from bytes that can change into private memory; false, and nothing is copied, if the
 * file does not have them.
 *   out  [count] */
bool vgg_file_copy(const struct vgg_file *file, uint64_t offset, size_t count, void *out);
/* The same for bytes that are there. */
void vgg_copy_changing(const void *bytes, size_t count, void *out);
/* Unmaps or frees, and clears the struct; a cleared struct is allowed. */
void vgg_file_close(struct vgg_file *file);

#endif
