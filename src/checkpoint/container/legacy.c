/* SPDX-License-Identifier: MIT */
/* The legacy stream, torch 0.1.10 to 1.5: pickles of a magic number, a protocol number, facts about
 * the writing system, the object, and the list of storage keys; then for each key, in the list's
 * order, its number of elements (8 bytes) and the elements. Always little-endian, nothing aligned. */
#include "checkpoint/container/legacy.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/byteorder.h"
#include "base/cursor.h"

enum {
    PROTOCOL = 1001,
    /* Opcodes bound the cost of a pickle; only that of the saved object may use the whole limit. */
    MAGIC_OPCODES = 8,
    HEADER_OPCODES = 200, /* real ones have 35 */
    KEY_OPCODES = 4,      /* of each storage key; real ones have 2 */
};

/* 0x1950a86a20f9469cfc6c */
static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

static bool is_magic(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_LONG && value->text.length == sizeof magic &&
           memcmp(value->text.bytes, magic, sizeof magic) == 0;
}

/* The pickle is parsed, not compared: protocols 2 and 4 write the number differently. Errors: MEMORY. */
static vgg_status read_magic(const struct vgg_archive *archive, size_t *offset, bool *found)
{
    const struct vgg_value *value = NULL;
    *offset = 0;
    vgg_status status =
        vgg_archive_read_plain(archive, MAGIC_OPCODES, offset, archive->file->size, &value);
    *found = status == VGG_OK && is_magic(value);
    return status == VGG_ERR_MEMORY ? status : VGG_OK;
}

vgg_status vgg_legacy_is(const struct vgg_archive *archive, bool *out)
{
    size_t offset;
    return read_magic(archive, &offset, out);
}

/* The size of the whole file: the storages follow the list of keys, which ends at data_offset. */
static uint64_t expected_bytes(uint64_t data_offset, const struct vgg_storages *storages)
{
    uint64_t total = data_offset;
    for (size_t i = 0; i < storages->count; i++) {
        if (__builtin_add_overflow(total, storages->items[i].bytes, &total) ||
            __builtin_add_overflow(total, sizeof(int64_t), &total)) {
            return UINT64_MAX;
        }
    }
    return total;
}

static vgg_status find_listed(const struct vgg_archive *archive, const struct vgg_value *key,
                              struct vgg_storages *storages, struct vgg_storage **out)
{
    if (key->kind != VGG_VALUE_TEXT) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: storage keys: expected texts, found %s", archive->load.path,
                        vgg_value_kind_string(key->kind));
    }
    *out = vgg_storages_find(storages, key->text);
    if (*out == NULL || (*out)->data != NULL) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT, "%s: storage keys: %.*s %s",
                        archive->load.path, VGG_SHOWN(key->text.bytes, key->text.length, 64),
                        *out == NULL ? "belongs to no tensor" : "is listed twice");
    }
    return VGG_OK;
}

/* Sets the data of a storage whose number of elements is at *offset, and moves *offset to its end. The file is large
 * enough for all storages. */
static vgg_status find_elements(const struct vgg_archive *archive, size_t *offset,
                                struct vgg_storage *storage)
{
    uint8_t bytes[sizeof(int64_t)] = {0};
    vgg_file_copy(archive->file, *offset, sizeof bytes, bytes);
    struct vgg_cursor in = vgg_cursor_make(bytes, sizeof bytes);
    const uint64_t count = vgg_cursor_le(&in, sizeof bytes);
    if (count != storage->count) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, *offset,
                           "%s: storage %.*s: expected %" PRIu64 " elements, found %" PRIu64,
                           archive->load.path, (int)storage->key.length, storage->key.bytes,
                           storage->count, count);
    }
    *offset += sizeof bytes;
    storage->file_offset = *offset;
    storage->data = archive->file->data + *offset;
    storage->swapped = !vgg_host_is_little();
    *offset += (size_t)storage->bytes;
    return VGG_OK;
}

static vgg_status find_data(struct vgg_archive *archive, size_t pickle_bytes,
                            struct vgg_storages *storages)
{
    const struct vgg_file *file = archive->file;
    size_t offset = (size_t)archive->pickle.file_offset + pickle_bytes;
    const struct vgg_value *keys = NULL;
    vgg_status status =
        vgg_archive_read_plain(archive, HEADER_OPCODES + KEY_OPCODES * (uint64_t)storages->count,
                               &offset, archive->file->size, &keys);
    uint64_t expected = expected_bytes(offset, storages);
    if (status == VGG_ERR_FORMAT && file->size < expected) {
        /* The file most likely ends inside the list of keys; the size of what follows is known. */
        return vgg_archive_fail_truncated(archive, expected, false);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (keys->kind != VGG_VALUE_LIST || keys->list.count != storages->count) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: storage keys: expected a list of %zu, found %s of %zu",
                        archive->load.path, storages->count, vgg_value_kind_string(keys->kind),
                        keys->kind == VGG_VALUE_LIST ? keys->list.count : 0);
    }
    if (file->size < expected) {
        return vgg_archive_fail_truncated(archive, expected, true);
    }
    for (size_t i = 0; i < keys->list.count; i++) {
        struct vgg_storage *storage = NULL;
        status = find_listed(archive, keys->list.items[i], storages, &storage);
        status = status ? status : find_elements(archive, &offset, storage);
        if (status != VGG_OK) {
            return status;
        }
    }
    if (offset < file->size) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, offset,
                           "%s: %zu bytes after the last storage, expected the end of the file",
                           archive->load.path, file->size - offset);
    }
    return VGG_OK;
}

vgg_status vgg_legacy_open(struct vgg_archive *archive)
{
    size_t offset;
    bool found;
    const struct vgg_value *protocol = NULL, *system = NULL;
    vgg_status status = read_magic(archive, &offset, &found);
    if (status == VGG_OK && !found) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT, "%s: no magic number of torch.save",
                        archive->load.path);
    }
    if (status == VGG_OK) {
        status = vgg_archive_read_plain(archive, HEADER_OPCODES, &offset, archive->file->size,
                                        &protocol);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (protocol->kind != VGG_VALUE_INT || protocol->integer != PROTOCOL) {
        return vgg_fail_at(archive->load.err, VGG_ERR_UNSUPPORTED, offset,
                           "%s: expected a stream of protocol %d, found another one",
                           archive->load.path, PROTOCOL);
    }
    status = vgg_archive_read_plain(archive, HEADER_OPCODES, &offset, archive->file->size, &system);
    if (status != VGG_OK) {
        return status;
    }
    if (system->kind != VGG_VALUE_DICT) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, offset,
                           "%s: expected a dict about the writing system, found %s",
                           archive->load.path, vgg_value_kind_string(system->kind));
    }
    archive->kind = VGG_CONTAINER_LEGACY;
    const struct vgg_value *little = vgg_value_get(system, "little_endian");
    snprintf(archive->writer, sizeof archive->writer,
             "PyTorch 0.1.10 to 1.5 (or later, when asked for), stream protocol %d%s", PROTOCOL,
             little == NULL || little->kind != VGG_VALUE_BOOL ? ""
             : little->boolean                                ? ", byteorder little"
                                                              : ", byteorder big");
    archive->pickle = (struct vgg_pickle_source){.data = archive->file->data + offset,
                                                 .size = archive->file->size - offset,
                                                 .file_offset = offset};
    archive->find_data = find_data;
    return VGG_OK;
}
