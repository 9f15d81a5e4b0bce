/* SPDX-License-Identifier: MIT */
/* Files of a program beside its nets, read and written as the library does it: bounded, and in one step. */
#ifndef VGG_FILE_H
#define VGG_FILE_H

#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a regular file whole into memory of its own: a FIFO or a device is refused, and not waited for.
 *   bytes  receives memory to be freed with free(), with a 0 after the last byte
 * Errors: IO, UNSUPPORTED (no regular file), LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_small_file_read(const char *path, uint64_t max_bytes, char **bytes,
                                       size_t *size, struct vgg_error *err);

/* A file that gets its name when it is whole: see vgg_output_open. */
typedef struct vgg_output vgg_output;

enum vgg_output_use {
    VGG_OUTPUT_APPENDED, /* written from its beginning to its end */
    VGG_OUTPUT_SEEKABLE, /* parts of it are written again */
};

/* Opens a file for writing. Until it is committed, PATH is the old file, and the new one has no name where the file
 * system can do that, so that a kill leaves nothing. It keeps the permissions of the old one. A symbolic link
 * stays, and the file that it leads to is replaced. A FIFO, a character device and what is open already (/dev/stdout)
 * are written in place.
 *   out  to be committed or aborted; NULL after an error
 * Errors: IO (also for a folder, a block device, a socket, and SEEKABLE for a pipe), MEMORY. */
VGG_API vgg_status vgg_output_open(const char *path, enum vgg_output_use use, vgg_output **out,
                                   struct vgg_error *err);
/* The descriptor to write to. It stays the output's. */
VGG_API int vgg_output_get_descriptor(const vgg_output *output);
/* Whether a commit gives the file its name; 0: it is written in place. */
VGG_API int vgg_output_is_replaced(const vgg_output *output);
/* Writes the file to disk and gives it its name. Frees the output in any case. Errors: IO. */
VGG_API vgg_status vgg_output_commit(vgg_output *output, struct vgg_error *err);
/* Removes the file, unless it is written in place, and frees the output. NULL is allowed. */
VGG_API void vgg_output_abort(vgg_output *output);

#ifdef __cplusplus
}
#endif
#endif
