/* Unpack a zip archive's members, and compare their CRC. zip_unpack.c is the only file that knows
 * libzip. */
#ifndef VGG_CHECKPOINT_ZIP_UNPACK_H
#define VGG_CHECKPOINT_ZIP_UNPACK_H

#include "checkpoint/zip_directory.h"

struct zip;

/* Set the directory and clear the rest. libzip is opened for the first deflated member only: it looks for
 * the archive's end where the last weights are, and these stay untouched until they are used. */
struct vgg_zip_unpacker {
    const struct vgg_zip_directory *directory;
    struct zip *zip;         /* in which the same directory is seen */
    uint64_t unpacked_bytes; /* so far */
};

/* A cleared struct is allowed. */
void vgg_zip_unpacker_close(struct vgg_zip_unpacker *unpacker);

/* Whether a member may be unpacked after as many bytes as that. Errors: FORMAT, LIMIT. */
vgg_status vgg_zip_check_size(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint64_t unpacked_bytes,
                              struct vgg_error *err);

/* Reads a member to its end, where its CRC is compared.
 *   data  [member->bytes], or NULL: only compare
 * Errors: FORMAT (another CRC or size), LIMIT (what unpacks to many times the file), MEMORY. */
vgg_status vgg_zip_unpack(const struct vgg_archive *archive, struct vgg_zip_unpacker *unpacker,
                          const struct vgg_zip_member *member, uint8_t *data,
                          struct vgg_error *err);

#endif
