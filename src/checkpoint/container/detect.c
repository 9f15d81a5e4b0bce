/* SPDX-License-Identifier: MIT */
/* Recognise a checkpoint's container by its content, never by its name. */
#include "checkpoint/container/detect.h"

#include "checkpoint/container/foreign.h"
#include "checkpoint/container/legacy.h"
#include "checkpoint/container/packed.h"
#include "checkpoint/container/safetensors.h"
#include "checkpoint/container/tar.h"
#include "checkpoint/container/tar_members.h"
#include "checkpoint/container/zip.h"

vgg_status vgg_archive_open(struct vgg_archive *archive)
{
    const size_t size = archive->file->size;
    archive->head_bytes = size < VGG_ARCHIVE_HEAD_BYTES ? size : VGG_ARCHIVE_HEAD_BYTES;
    vgg_status status =
        vgg_archive_copy(archive, 0, archive->head_bytes, "the header", &archive->head);
    if (status != VGG_OK) {
        return status;
    }
    if (archive->head_bytes >= 4 && memcmp(archive->head, "PK\3\4", 4) == 0) {
        return vgg_zip_open(archive);
    }
    if (vgg_packed_is(archive)) {
        return vgg_packed_open(archive);
    }
    if (vgg_tar_is(archive)) {
        return vgg_tar_open(archive);
    }
    bool is_legacy;
    status = vgg_legacy_is(archive, &is_legacy);
    if (status != VGG_OK || is_legacy) {
        return status == VGG_OK ? vgg_legacy_open(archive) : status;
    }
    if (vgg_safetensors_is(archive)) {
        return vgg_safetensors_open(archive);
    }
    return vgg_foreign_fail(archive);
}
