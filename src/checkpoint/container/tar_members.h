/* SPDX-License-Identifier: MIT */
/* The members of a tar archive in memory: ustar and PAX, nothing else.
 *
 * Only the contents of a checkpoint of PyTorch before 0.1.10 are accepted: four regular files, each once.
 * Nothing is ever extracted, so names and links cannot lead anywhere; they are refused all the same. */
#ifndef VGG_CHECKPOINT_CONTAINER_TAR_MEMBERS_H
#define VGG_CHECKPOINT_CONTAINER_TAR_MEMBERS_H

#include "checkpoint/container/archive.h"

enum vgg_tar_name { VGG_TAR_SYS_INFO, VGG_TAR_PICKLE, VGG_TAR_TENSORS, VGG_TAR_STORAGES };
enum { VGG_TAR_MEMBERS = 4 };

struct vgg_tar_member {
    size_t offset, end; /* of its bytes, in the file */
    bool found;
};

/* Whether the file begins with a ustar header. */
bool vgg_tar_is(const struct vgg_archive *archive);

/* Finds all four. Errors: FORMAT, UNSUPPORTED (an archive of other things). */
vgg_status vgg_tar_members_read(const struct vgg_archive *archive,
                                struct vgg_tar_member out[VGG_TAR_MEMBERS]);

#endif
