/* SPDX-License-Identifier: MIT */
/* Estimates the size of a truncated zip archive.
 *
 * The directory, with the sizes of all members, is at the end and therefore missing. But torch writes data.pkl first,
 * and the pickle holds the sizes of the storages after it: enough for "240 of about 528 MB". */
#include "checkpoint/container/zip_truncated.h"

#include <inttypes.h>

#include "base/cursor.h"

enum {
    STORED = 0, /* the compression method of data.pkl as torch writes it */
    LOCAL_BYTES = 30,
    STORAGE_ALIGNMENT = 64, /* of a storage, with the padding in its local header */
    STORAGE_OVERHEAD = 128, /* roughly: its headers, descriptor and directory entry */
};

/* The pickle of a first member P/data.pkl that is stored; its size is not known. */
static bool find_first_pickle(const struct vgg_archive *archive, struct vgg_pickle_source *out)
{
    static const char name_end[] = "/data.pkl";
    const struct vgg_file *file = archive->file;
    uint8_t header[LOCAL_BYTES] = {0};
    char end[sizeof name_end - 1];
    const bool is_there = vgg_file_copy(file, 0, sizeof header, header);
    struct vgg_cursor in = vgg_cursor_make(header, sizeof header);
    vgg_cursor_take(&in, 8); /* signature, version, flags */
    uint64_t method = vgg_cursor_le(&in, 2);
    vgg_cursor_take(&in, LOCAL_BYTES - 14);
    uint64_t name_bytes = vgg_cursor_le(&in, 2), extra_bytes = vgg_cursor_le(&in, 2);
    const uint64_t offset = LOCAL_BYTES + name_bytes + extra_bytes;
    if (!is_there || method != STORED || name_bytes < sizeof end || offset > file->size ||
        !vgg_file_copy(file, LOCAL_BYTES + name_bytes - sizeof end, sizeof end, end) ||
        memcmp(end, name_end, sizeof end) != 0) {
        return false;
    }
    *out = (struct vgg_pickle_source){
        .data = file->data + offset, .size = file->size - (size_t)offset, .file_offset = offset};
    return true;
}

static bool estimate_size(const struct vgg_archive *archive, uint64_t *out)
{
    struct vgg_pickle_source source;
    struct vgg_pickle pickle;
    struct vgg_storages storages;
    const struct vgg_load load = vgg_load_quietly(&archive->load);
    if (!find_first_pickle(archive, &source) ||
        vgg_pickle_read(&load, &source, &pickle) != VGG_OK ||
        vgg_storages_collect(&load, &pickle, &storages) != VGG_OK) {
        return false;
    }
    uint64_t total = source.file_offset + pickle.size;
    for (size_t i = 0; i < storages.count; i++) {
        if (__builtin_add_overflow(total, storages.items[i].bytes, &total) ||
            __builtin_add_overflow(total, STORAGE_ALIGNMENT / 2 + STORAGE_OVERHEAD, &total)) {
            return false;
        }
    }
    *out = total;
    return total > archive->file->size;
}

vgg_status vgg_zip_fail_truncated(const struct vgg_archive *archive)
{
    uint64_t expected;
    if (estimate_size(archive, &expected)) {
        return vgg_archive_fail_truncated(archive, expected, false);
    }
    return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                    "%s: truncated: %zu bytes of a zip archive, and no directory at their end",
                    archive->load.path, archive->file->size);
}
