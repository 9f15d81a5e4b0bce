/* SPDX-License-Identifier: MIT */
/* Unpacks members of a zip archive and compares their CRC. Only zip_unpack.c uses libzip. */
#ifndef VGG_CHECKPOINT_CONTAINER_ZIP_UNPACK_H
#define VGG_CHECKPOINT_CONTAINER_ZIP_UNPACK_H

#include "checkpoint/container/zip_directory.h"

/* Checks that a member may be unpacked.
 *   unpacked_bytes  of the members unpacked before
 * Errors: FORMAT, LIMIT. */
vgg_status vgg_zip_check_size(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint64_t unpacked_bytes);

/* Reads a member to its end, where its CRC is compared if it has one.
 *   unpacked_bytes  of the members unpacked before; this member's are added
 *   data            [member->bytes], or NULL: only compare
 * Errors: FORMAT (another CRC or size), LIMIT (the archive unpacks to many times its size), UNSUPPORTED, MEMORY. */
vgg_status vgg_zip_unpack(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                          uint64_t *unpacked_bytes, uint8_t *data);

#endif
