/* SPDX-License-Identifier: MIT */
/* Find out what stands at the path of an output, before anything is written there. */
#ifndef VGG_BASE_TARGET_H
#define VGG_BASE_TARGET_H

#include <sys/stat.h>

#include "base/mem.h"
#include "base/status.h"

struct vgg_target {
    /* Symbolic links are followed, so that the file behind them is replaced and not the link. Owned. */
    char *path;
    enum vgg_target_kind {
        VGG_TARGET_ABSENT,
        VGG_TARGET_FILE,
        VGG_TARGET_STREAM,     /* a FIFO or a character device */
        VGG_TARGET_DESCRIPTOR, /* open already: /dev/stdout, /dev/fd/N */
    } kind;
    int descriptor;   /* of DESCRIPTOR */
    struct stat info; /* of FILE */
};

/* Errors: IO (a file that may not be written, a folder, a block device or a socket), MEMORY.
 *   out  its path is to be freed with the same allocator; NULL after an error */
vgg_status vgg_target_find(const char *path, const struct vgg_allocator *allocator,
                           struct vgg_target *out, struct vgg_error *err);

/* The folder of a path, which is cut at the last slash: *cut, or NULL if there is none. */
const char *vgg_target_cut_folder(char *path, char **cut);

#endif
