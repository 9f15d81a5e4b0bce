/* SPDX-License-Identifier: MIT */
/* Reading a member of a tar archive from its beginning to its end. */
#ifndef VGG_CHECKPOINT_CONTAINER_TAR_READER_H
#define VGG_CHECKPOINT_CONTAINER_TAR_READER_H

#include "checkpoint/container/tar_members.h"

struct vgg_tar_reader {
    const struct vgg_archive *archive;
    const char *name;   /* of the member, for messages */
    size_t offset, end; /* in the file */
};

/* Begins with one of an archive's members. */
struct vgg_tar_reader vgg_tar_reader_make(const struct vgg_archive *archive,
                                          const struct vgg_tar_member members[VGG_TAR_MEMBERS],
                                          enum vgg_tar_name name);

/* Reports an error at the position of the reader: FORMAT. */
vgg_status vgg_tar_fail(const struct vgg_tar_reader *reader, const char *what);

/* Reads a pickle, which must hold a value of this kind.
 *   opcodes   a bound of its own
 *   expected  the kind of value in words, for messages */
vgg_status vgg_tar_read_pickle(struct vgg_tar_reader *reader, uint64_t opcodes,
                               enum vgg_value_kind kind, const char *expected,
                               const struct vgg_value **out);

/* Reads numbers of eight bytes; false, and the reader does not move, when there are fewer.
 *   out  [count] */
bool vgg_tar_read_numbers(struct vgg_tar_reader *reader, size_t count, uint64_t *out);

/* Refuses bytes that are left: FORMAT. */
vgg_status vgg_tar_check_end(const struct vgg_tar_reader *reader);

#endif
