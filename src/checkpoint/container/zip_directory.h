/* SPDX-License-Identifier: MIT */
/* The central directory of a zip archive, copied and checked against the local headers.
 *
 * Two readers must not see two different archives in the same bytes, so this is strict where zip is
 * lax: one end record, at the very end; no comments, no encryption, no disks; every member's local
 * header agrees with the directory; no member overlaps another. */
#ifndef VGG_CHECKPOINT_CONTAINER_ZIP_DIRECTORY_H
#define VGG_CHECKPOINT_CONTAINER_ZIP_DIRECTORY_H

#include "checkpoint/container/archive.h"

enum { VGG_ZIP_STORED = 0, VGG_ZIP_DEFLATED = 8 };

struct vgg_zip_member {
    struct vgg_span name; /* in a copy of the directory */
    uint16_t method;      /* STORED or DEFLATED */
    uint16_t flags;
    uint32_t crc;
    uint64_t packed_bytes; /* in the file */
    uint64_t bytes;        /* unpacked */
    uint64_t offset;       /* of the local header */
    uint64_t data_offset;  /* of the packed bytes */
};

/* All members, sorted by name. */
struct vgg_zip_directory {
    struct vgg_zip_member *members;
    size_t count;
    struct vgg_span first_name; /* of the first member in the directory */
};

/* Whether a CRC is known of a member. torch.save can be set not to compute it, and writes 0 then. */
static inline bool vgg_zip_has_crc(const struct vgg_zip_member *member)
{
    return member->crc != 0 || member->method != VGG_ZIP_STORED;
}

/* Reads the directory of archive->file into archive->load.arena.
 * Errors: FORMAT (a file without an end record is called truncated), UNSUPPORTED, LIMIT, MEMORY. */
vgg_status vgg_zip_directory_read(const struct vgg_archive *archive, struct vgg_zip_directory *out);

/* The member of this name, or NULL. */
const struct vgg_zip_member *vgg_zip_directory_find(const struct vgg_zip_directory *directory,
                                                    struct vgg_span name);

/* Reports an error in a member. */
vgg_status vgg_zip_fail_member(const struct vgg_archive *archive,
                               const struct vgg_zip_member *member, vgg_status code,
                               const char *reason);

#endif
