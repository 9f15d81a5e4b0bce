/* SPDX-License-Identifier: MIT */
/* Writes a file in one step: under a temporary name, renamed at the end. */
#ifndef VGG_BASE_OUTFILE_H
#define VGG_BASE_OUTFILE_H

#include "base/mem.h"
#include "base/status.h"

struct vgg_outfile {
    const char *path; /* borrowed */
    char *temporary;  /* PATH.NUMBER.tmp; NULL when nothing is open */
    bool nameless;    /* the file has no name yet */
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
 * PATH.NUMBER.tmp. A file at path does not change.
 *   allocator  may be NULL
 * Errors: IO, MEMORY. */
vgg_status vgg_outfile_open(const char *path, const struct vgg_allocator *allocator,
                            struct vgg_outfile *out, struct vgg_error *err);
/* Appends. vgg_outfile_commit reports a failure. */
void vgg_outfile_write(struct vgg_outfile *out, const void *bytes, size_t count);
/* Overwrites bytes; the offset stays. */
void vgg_outfile_patch(struct vgg_outfile *out, uint64_t offset, const void *bytes, size_t count);
/* Syncs the file to disk and gives it its name; closes it in any case. */
vgg_status vgg_outfile_commit(struct vgg_outfile *out, struct vgg_error *err);
/* Removes it. A cleared struct and a committed file are allowed. */
void vgg_outfile_abort(struct vgg_outfile *out);

#endif
