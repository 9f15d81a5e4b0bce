/* SPDX-License-Identifier: MIT */
/* Writes a file in one step: under a temporary name, renamed at the end. */
#ifndef VGG_BASE_OUTFILE_H
#define VGG_BASE_OUTFILE_H

#include "base/mem.h"
#include "base/status.h"

/* Whether vgg_outfile_patch is called. */
enum vgg_outfile_access { VGG_OUTFILE_APPEND, VGG_OUTFILE_PATCH };

struct vgg_outfile {
    const char *path; /* of messages; borrowed */
    char *target;     /* the file that is replaced: what path leads to; NULL when nothing is open */
    char *temporary;  /* TARGET.NUMBER.tmp; NULL: written in place */
    bool nameless;    /* the file has no name yet */
    bool seekable;
    int fd;
    uint64_t offset; /* bytes written, the buffered ones too */
    vgg_status status;
    int sys_errno; /* of the first write that failed */
    uint8_t *buffer;
    size_t used;
    const struct vgg_allocator *allocator;
};

/* Creates the temporary file. Where the file system supports it, it has no name until the end, so that nothing is left
 * of a process that is killed. Otherwise, and for an instant when it replaces another file, its name is
 * TARGET.NUMBER.tmp. A file at path does not change until the end; the new one has its permissions and, if the process
 * may do so, its owner. A symbolic link stays, and the file that it leads to is replaced.
 * A FIFO, a character device and what is open already (/dev/stdout) are written in place, from the first byte on.
 *   allocator  may be NULL
 * Errors: IO (also for a folder, a block device, a socket, and PATCH in a pipe), MEMORY. */
vgg_status vgg_outfile_open(const char *path, enum vgg_outfile_access access,
                            const struct vgg_allocator *allocator, struct vgg_outfile *out,
                            struct vgg_error *err);
/* Appends. vgg_outfile_commit reports a failure. */
void vgg_outfile_write(struct vgg_outfile *out, const void *bytes, size_t count);
/* Overwrites bytes; the offset stays. */
void vgg_outfile_patch(struct vgg_outfile *out, uint64_t offset, const void *bytes, size_t count);
/* Writes all that is buffered to disk, so that the commit can hardly fail any more. Optional. After a failure, which it
 * returns, the commit fails too. */
vgg_status vgg_outfile_sync(struct vgg_outfile *out, struct vgg_error *err);
/* Syncs the file to disk and gives it its name; closes it in any case. */
vgg_status vgg_outfile_commit(struct vgg_outfile *out, struct vgg_error *err);
/* Removes it. A cleared struct and a committed file are allowed. */
void vgg_outfile_abort(struct vgg_outfile *out);

#endif
