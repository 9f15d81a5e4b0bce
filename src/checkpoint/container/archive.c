/* SPDX-License-Identifier: MIT */
/* What all containers share: reading through their interface, small pickles, the report of truncated files. */
#include "checkpoint/container/archive.h"

#include <inttypes.h>
#include <stdio.h>

/* Of an opcode in a pickle of few of them, with its operand: all that matters is short. */
enum { OPCODE_BYTES = 4096 };

vgg_status vgg_archive_copy(const struct vgg_archive *archive, uint64_t offset, size_t count,
                            const char *thing, const uint8_t **out)
{
    uint8_t *copy = vgg_load_alloc(&archive->load, count, 1);
    if (copy == NULL) {
        return vgg_load_fail_memory(&archive->load, count, thing);
    }
    if (!vgg_file_copy(archive->file, offset, count, copy)) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, offset,
                           "%s: expected %zu bytes of %s, found the end of the file",
                           archive->load.path, count, thing);
    }
    *out = copy;
    return VGG_OK;
}

vgg_status vgg_archive_read(struct vgg_archive *archive, struct vgg_pickle *out,
                            struct vgg_storages *storages)
{
    if (archive->read != NULL) {
        return archive->read(archive, out, storages);
    }
    vgg_status status = vgg_pickle_read(&archive->load, &archive->pickle, out);
    if (status != VGG_OK) {
        return status;
    }
    return vgg_storages_collect(&archive->load, out, storages);
}

vgg_status vgg_archive_find_data(struct vgg_archive *archive, size_t pickle_bytes,
                                 struct vgg_storages *storages)
{
    return archive->find_data != NULL ? archive->find_data(archive, pickle_bytes, storages)
                                      : VGG_OK;
}

void vgg_archive_close(struct vgg_archive *archive)
{
    if (archive->close != NULL) {
        archive->close(archive);
    }
    archive->close = NULL;
}

vgg_status vgg_archive_name_part(const struct vgg_archive *archive, const char *part,
                                 struct vgg_load *out)
{
    const size_t bytes = strlen(archive->load.path) + strlen(": ") + strlen(part) + 1;
    char *path = vgg_load_alloc(&archive->load, bytes, 1);
    if (path == NULL) {
        return vgg_load_fail_memory(&archive->load, bytes, "the path");
    }
    snprintf(path, bytes, "%s: %s", archive->load.path, part);
    *out = archive->load;
    out->path = path;
    return VGG_OK;
}

vgg_status vgg_archive_read_plain(const struct vgg_archive *archive, uint64_t opcodes,
                                  size_t *offset, size_t end, const struct vgg_value **out)
{
    struct vgg_pickle pickle;
    struct vgg_limits limits = *archive->load.limits;
    struct vgg_load load = archive->load;
    limits.pickle_opcodes =
        opcodes < limits.pickle_opcodes ? (uint32_t)opcodes : limits.pickle_opcodes;
    if (limits.pickle_opcodes < limits.pickle_bytes / OPCODE_BYTES) {
        limits.pickle_bytes = (uint64_t)limits.pickle_opcodes * OPCODE_BYTES;
    }
    const struct vgg_pickle_source source = {
        .data = archive->file->data + *offset, .size = end - *offset, .file_offset = *offset};
    load.limits = &limits;
    vgg_status status = vgg_pickle_read(&load, &source, &pickle);
    if (status != VGG_OK) {
        return status;
    }
    if (pickle.persistent_count > 0) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, *offset,
                           "%s: storages in the stream's header", archive->load.path);
    }
    *offset += pickle.size;
    *out = pickle.root;
    return VGG_OK;
}

vgg_status vgg_archive_fail_truncated(const struct vgg_archive *archive, uint64_t expected,
                                      bool exact)
{
    const uint64_t mega = 1 << 20; /* as torchvision counts its files' sizes */
    uint64_t found = archive->file->size;
    const char *about = exact ? "" : "about ";
    if (expected < 10 * mega) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: truncated: %" PRIu64 " of %s%" PRIu64
                        " bytes: download or save it again",
                        archive->load.path, found, about, expected);
    }
    const bool little = found < 10 * mega;
    return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                    "%s: truncated: %" PRIu64 "%s of %s%" PRIu64 " MB: download or save it again",
                    archive->load.path, little ? found : found / mega, little ? " bytes" : "",
                    about, (expected + mega / 2) / mega);
}
