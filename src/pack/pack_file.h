/* SPDX-License-Identifier: MIT */
/* Writing a packed file, with the description at its end. */
#ifndef VGG_PACK_PACK_FILE_H
#define VGG_PACK_PACK_FILE_H

#include "base/outfile.h"
#include "checkpoint/write/packed_writer.h"
#include "model/spec/spec.h"

struct vgg_pack_file {
    const char *path;
    struct vgg_outfile out;
    struct vgg_packed_writer writer; /* of the tensors */
    struct vgg_bytes description;
};

/* Begins a file of the net that spec describes; a file at path is replaced when this one is closed.
 * Errors: IO, LIMIT, MEMORY; the file must not be closed then. */
vgg_status vgg_pack_file_open(struct vgg_pack_file *file, const char *path,
                              const struct vgg_spec *spec, const struct vgg_context *context,
                              struct vgg_error *err);

/* Writes the rest and replaces the file at path in one step; or discards all, after an error.
 *   status  of writing the tensors; returned unless it is OK
 * Errors: IO, MEMORY. */
vgg_status vgg_pack_file_close(struct vgg_pack_file *file, vgg_status status,
                               struct vgg_error *err);

#endif
