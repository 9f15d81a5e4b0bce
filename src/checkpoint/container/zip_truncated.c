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
    struct vgg_cursor in = vgg_cursor_make(archive->file->data, archive->file->size);
    vgg_cursor_take(&in, 8); /* signature, version, flags */
    uint64_t method = vgg_cursor_le(&in, 2);
    vgg_cursor_take(&in, LOCAL_BYTES - 14);
    uint64_t name_bytes = vgg_cursor_le(&in, 2), extra_bytes = vgg_cursor_le(&in, 2);
    const uint8_t *name = vgg_cursor_take(&in, name_bytes);
    vgg_cursor_take(&in, extra_bytes);
    if (!in.ok || method != STORED || name_bytes < sizeof name_end - 1 ||
        memcmp(name + name_bytes - (sizeof name_end - 1), name_end, sizeof name_end - 1) != 0) {
        return false;
    }
    *out = (struct vgg_pickle_source){
        .data = in.data + in.offset, .size = vgg_cursor_left(&in), .file_offset = in.offset};
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
