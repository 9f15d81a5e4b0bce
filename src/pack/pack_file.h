/* SPDX-License-Identifier: MIT */
/* A packed file in the making. */
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

/* Begins a file of the net that spec describes; PATH stays as it is until the file is closed.
 * Errors: IO, LIMIT, MEMORY; nothing is to be closed then. */
vgg_status vgg_pack_file_open(struct vgg_pack_file *file, const char *path,
                              const struct vgg_spec *spec, const struct vgg_context *context,
                              struct vgg_error *err);

/* Writes the rest and replaces PATH in one step; or, where the tensors could not be written, gives up.
 *   status  of writing the tensors; returned unless it is OK
 * Errors: IO, MEMORY. */
vgg_status vgg_pack_file_close(struct vgg_pack_file *file, vgg_status status,
                               struct vgg_error *err);

#endif
