/* SPDX-License-Identifier: MIT */
/* Unpack a zip archive's members, and compare their CRC. zip_unpack.c is the only file that knows
 * libzip. */
#ifndef VGG_CHECKPOINT_CONTAINER_ZIP_UNPACK_H
#define VGG_CHECKPOINT_CONTAINER_ZIP_UNPACK_H

#include "checkpoint/container/zip_directory.h"

/* Whether a member may be unpacked after as many bytes as that. Errors: FORMAT, LIMIT. */
vgg_status vgg_zip_check_size(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint64_t unpacked_bytes);

/* Reads a member to its end, where its CRC is compared.
 *   unpacked_bytes  of the members before this one; it is added
 *   data            [member->bytes], or NULL: only compare
 * Errors: FORMAT (another CRC or size), LIMIT (what unpacks to many times the file), UNSUPPORTED, MEMORY. */
vgg_status vgg_zip_unpack(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                          uint64_t *unpacked_bytes, uint8_t *data);

#endif
