/* SPDX-License-Identifier: MIT */
/* What all containers share: reading through their interface, pickles of their own, cut files. */
#include "checkpoint/container/archive.h"

#include <inttypes.h>

vgg_status vgg_archive_read(struct vgg_archive *archive, struct vgg_pickle *out,
                            struct vgg_storages *storages, struct vgg_error *err)
{
    if (archive->read != NULL) {
        return archive->read(archive, out, storages, err);
    }
    vgg_status status =
        vgg_pickle_read(&archive->pickle, archive->limits, archive->arena, out, err);
    if (status != VGG_OK) {
        return status;
    }
    return vgg_storages_collect(out, archive->path, archive->arena, storages, err);
}

vgg_status vgg_archive_find_data(struct vgg_archive *archive, size_t pickle_bytes,
                                 struct vgg_storages *storages, struct vgg_error *err)
{
    return archive->find_data != NULL ? archive->find_data(archive, pickle_bytes, storages, err)
                                      : VGG_OK;
}

void vgg_archive_close(struct vgg_archive *archive)
{
    if (archive->close != NULL) {
        archive->close(archive);
    }
    archive->close = NULL;
}

vgg_status vgg_archive_read_plain(const struct vgg_archive *archive, uint64_t opcodes,
                                  size_t *offset, size_t end, const struct vgg_value **out,
                                  struct vgg_error *err)
{
    struct vgg_pickle pickle;
    struct vgg_limits limits = *archive->limits;
    limits.pickle_opcodes =
        opcodes < limits.pickle_opcodes ? (uint32_t)opcodes : limits.pickle_opcodes;
    struct vgg_pickle_source source = {.path = archive->path,
                                       .data = archive->file->data + *offset,
                                       .size = end - *offset,
                                       .file_offset = *offset};
    vgg_status status = vgg_pickle_read(&source, &limits, archive->arena, &pickle, err);
    if (status != VGG_OK) {
        return status;
    }
    if (pickle.persistent_count > 0) {
        return vgg_fail_at(err, VGG_ERR_FORMAT, *offset, "%s: storages in the stream's header",
                           archive->path);
    }
    *offset += pickle.size;
    *out = pickle.root;
    return VGG_OK;
}

vgg_status vgg_archive_fail_truncated(const struct vgg_archive *archive, uint64_t expected,
                                      bool exact, struct vgg_error *err)
{
    const uint64_t mega = 1 << 20; /* as torchvision counts its files' sizes */
    uint64_t found = archive->file->size;
    const char *about = exact ? "" : "about ";
    if (expected < 10 * mega) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: truncated: %" PRIu64 " of %s%" PRIu64
                        " bytes: download or save it again",
                        archive->path, found, about, expected);
    }
    const bool little = found < 10 * mega;
    return vgg_fail(err, VGG_ERR_FORMAT,
                    "%s: truncated: %" PRIu64 "%s of %s%" PRIu64 " MB: download or save it again",
                    archive->path, little ? found : found / mega, little ? " bytes" : "", about,
                    (expected + mega / 2) / mega);
}
