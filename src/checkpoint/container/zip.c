/* SPDX-License-Identifier: MIT */
/* The zip container, torch.save since 1.6: P/data.pkl, P/data/KEY, P/byteorder, P/version.
 *
 * Stored storages, as torch writes them, are used where they lie in the mapped file; comparing their CRC reads the
 * whole file, and is left to vgg_zip_verify. Everything else is copied or unpacked, and its CRC is always compared. */
#include "checkpoint/container/zip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/byteorder.h"
#include "checkpoint/container/foreign.h"
#include "checkpoint/container/zip_unpack.h"

enum {
    VERSION_MAX = 10,        /* torch's kMaxSupportedFileFormatVersion */
    ALIGNMENT_MAX = 1 << 30, /* of storages, in bytes; torch's default is 64 */
    NAME_BYTES_MAX = 512,
    PREFIX_BYTES_MAX = 255, /* as file systems have it */
    SMALL_BYTES = 16,       /* the text of a small member, with its 0 */
};

struct zip_state {
    struct vgg_zip_directory directory;
    uint64_t unpacked_bytes; /* so far */
    struct vgg_span prefix;  /* the folder of all members, without the slash */
    bool swapped;
};

/* ---- members ---- */

static const struct vgg_zip_member *find(const struct zip_state *state, const char *folder,
                                         struct vgg_span name)
{
    char path[NAME_BYTES_MAX];
    int length = snprintf(path, sizeof path, "%.*s/%s%.*s", (int)state->prefix.length,
                          state->prefix.bytes, folder, (int)name.length, name.bytes);
    if (length < 0 || (size_t)length >= sizeof path) {
        return NULL;
    }
    return vgg_zip_directory_find(&state->directory, (struct vgg_span){path, (uint32_t)length});
}

static const struct vgg_zip_member *find_file(const struct zip_state *state, const char *name)
{
    return find(state, "", (struct vgg_span){name, (uint32_t)strlen(name)});
}

/* Unpacks a member into the archive's arena. */
static vgg_status unpack(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                         const uint8_t **out)
{
    struct zip_state *state = archive->state;
    *out = NULL;
    vgg_status status = vgg_zip_check_size(archive, member, state->unpacked_bytes);
    if (status != VGG_OK) {
        return status;
    }
    uint8_t *data = vgg_load_alloc(&archive->load, (size_t)member->bytes, 1);
    if (data == NULL) {
        return vgg_load_fail_memory(&archive->load, (size_t)member->bytes, "a zip member");
    }
    *out = data;
    return vgg_zip_unpack(archive, member, &state->unpacked_bytes, data);
}

/* A storage's bytes: in the file if stored, else unpacked. */
static vgg_status view(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                       const uint8_t **data, uint64_t *file_offset)
{
    if (member->method == VGG_ZIP_STORED) {
        *data = archive->file->data + member->data_offset;
        *file_offset = member->data_offset;
        return VGG_OK;
    }
    *file_offset = VGG_NO_OFFSET;
    return unpack(archive, member, data);
}

static vgg_status find_data(struct vgg_archive *archive, size_t pickle_bytes,
                            struct vgg_storages *storages)
{
    const struct zip_state *state = archive->state;
    const char *folder = archive->storage_folder != NULL ? archive->storage_folder : "data/";
    if (pickle_bytes != archive->pickle.size) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: data.pkl: %zu bytes after the pickle's end", archive->load.path,
                        archive->pickle.size - pickle_bytes);
    }
    for (size_t i = 0; i < storages->count; i++) {
        struct vgg_storage *storage = &storages->items[i];
        if (!storage->wanted) {
            continue;
        }
        const struct vgg_zip_member *member = find(state, folder, storage->key);
        if (member == NULL) {
            return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                            "%s: storage %.*s is not in the archive", archive->load.path,
                            (int)storage->key.length, storage->key.bytes);
        }
        if (member->bytes != storage->bytes) {
            return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, member->offset,
                               "%s: storage %.*s: expected %" PRIu64 " bytes (%" PRIu64
                               " x %s), found %" PRIu64,
                               archive->load.path, (int)storage->key.length, storage->key.bytes,
                               storage->bytes, storage->count, storage->type->name, member->bytes);
        }
        vgg_status status = view(archive, member, &storage->data, &storage->file_offset);
        if (status != VGG_OK) {
            return status;
        }
        storage->swapped = state->swapped;
    }
    return VGG_OK;
}

static vgg_status read_member(const struct vgg_archive *archive, const char *name, uint64_t max,
                              struct vgg_member *out)
{
    const struct vgg_zip_member *member = find_file(archive->state, name);
    *out = (struct vgg_member){.file_offset = VGG_NO_OFFSET};
    if (member == NULL) {
        return VGG_OK;
    }
    if (member->bytes > max) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_LIMIT, "expected a smaller member");
    }
    out->size = (size_t)member->bytes;
    if (member->method == VGG_ZIP_STORED) {
        out->file_offset = member->data_offset;
    }
    return unpack(archive, member, &out->data);
}

/* ---- opening ---- */

/* The folder P of the only P/data.pkl. */
static vgg_status find_prefix(const struct vgg_archive *archive, struct zip_state *state)
{
    static const char pickle_name[] = "/data.pkl";
    const struct vgg_zip_directory *directory = &state->directory;
    for (size_t i = 0; i < directory->count; i++) {
        struct vgg_span name = directory->members[i].name;
        if (!vgg_span_ends_with(name, pickle_name)) {
            continue;
        }
        struct vgg_span prefix = {name.bytes, name.length - (sizeof pickle_name - 1)};
        if (memchr(prefix.bytes, '/', prefix.length) != NULL || state->prefix.length > 0) {
            return vgg_zip_fail_member(archive, &directory->members[i], VGG_ERR_FORMAT,
                                       "expected exactly one pickle, FOLDER/data.pkl");
        }
        if (prefix.length > PREFIX_BYTES_MAX) {
            return vgg_zip_fail_member(archive, &directory->members[i], VGG_ERR_FORMAT,
                                       "expected a folder's name of at most 255 bytes");
        }
        state->prefix = prefix;
    }
    if (state->prefix.length > 0) {
        return VGG_OK;
    }
    return vgg_foreign_fail_zip(archive, directory);
}

/* The text of a small member ("3\n" gives "3"); empty when there is no such member. */
static vgg_status read_small(const struct vgg_archive *archive, const char *name,
                             char text[SMALL_BYTES])
{
    const struct vgg_zip_member *member = find_file(archive->state, name);
    const uint8_t *data;
    memset(text, 0, SMALL_BYTES);
    if (member == NULL) {
        return VGG_OK;
    }
    if (member->bytes >= SMALL_BYTES) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, "expected a short text");
    }
    vgg_status status = unpack(archive, member, &data);
    if (status != VGG_OK) {
        return status;
    }
    memcpy(text, data, (size_t)member->bytes);
    size_t length = strlen(text);
    if (length == 0 || length < member->bytes) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, "expected a short text");
    }
    text[length - (text[length - 1] == '\n')] = '\0';
    return VGG_OK;
}

/* Checks a small member, if there is one: a decimal number up to max. */
static vgg_status check_number(const struct vgg_archive *archive, const char *name, long max)
{
    char text[SMALL_BYTES];
    vgg_status status = read_small(archive, name, text);
    if (status != VGG_OK || text[0] == '\0') {
        return status;
    }
    long number = strtol(text, NULL, 10);
    if (strspn(text, "0123456789") != strlen(text) || number < 1 || number > max) {
        return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected a number from 1 to %ld, found \"%s\"", archive->load.path,
                        name, max, text);
    }
    return VGG_OK;
}

static vgg_status read_properties(const struct vgg_archive *archive, struct zip_state *state)
{
    char text[SMALL_BYTES];
    vgg_status status = read_small(archive, "byteorder", text);
    if (status != VGG_OK) {
        return status;
    }
    bool little = text[0] == '\0' || strcmp(text, "little") == 0;
    if (!little && strcmp(text, "big") != 0) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: byteorder: expected \"little\" or \"big\", found \"%s\"",
                        archive->load.path, text);
    }
    state->swapped = little != vgg_host_is_little();
    if ((status = check_number(archive, "version", VERSION_MAX)) != VGG_OK ||
        (status = check_number(archive, ".data/version", VERSION_MAX)) != VGG_OK) {
        return status;
    }
    return check_number(archive, ".storage_alignment", ALIGNMENT_MAX);
}

/* Notes the version of PyTorch that wrote the archive. */
static void note_writer(struct vgg_archive *archive)
{
    struct vgg_archive quiet = *archive;
    static const struct {
        const char *name, *label;
    } records[] = {{"version", "archive version"},
                   {"byteorder", "byteorder"},
                   {".format_version", "format version"}};
    char text[SMALL_BYTES];
    quiet.load.err = NULL; /* a record that cannot be read is left out */
    const bool recent = find_file(archive->state, "byteorder") != NULL;
    size_t used = (size_t)snprintf(archive->writer, sizeof archive->writer, "PyTorch %s",
                                   recent ? "2.1 or later" : "1.4 to 2.0");
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        if (read_small(&quiet, records[i].name, text) == VGG_OK && text[0] != '\0') {
            used += (size_t)snprintf(archive->writer + used, sizeof archive->writer - used,
                                     ", %s %.20s", records[i].label, text);
        }
    }
}

static vgg_status open_pickle(struct vgg_archive *archive, struct zip_state *state)
{
    const struct vgg_zip_member *member = find_file(state, "data.pkl");
    if (member == NULL || member->bytes > archive->load.limits->pickle_bytes) {
        return vgg_fail(archive->load.err, VGG_ERR_LIMIT,
                        "%s: data.pkl is larger than the limit of %" PRIu64 " bytes",
                        archive->load.path, archive->load.limits->pickle_bytes);
    }
    const bool is_stored = member->method == VGG_ZIP_STORED;
    archive->pickle =
        (struct vgg_pickle_source){.size = (size_t)member->bytes,
                                   .is_private = true,
                                   .file_offset = is_stored ? member->data_offset : VGG_NO_OFFSET};
    return unpack(archive, member, &archive->pickle.data);
}

vgg_status vgg_zip_open(struct vgg_archive *archive)
{
    struct zip_state *state = vgg_load_alloc(&archive->load, 1, sizeof *state);
    if (state == NULL) {
        return vgg_load_fail_memory(&archive->load, sizeof *state, "the zip archive");
    }
    archive->state = state;
    vgg_status status = vgg_zip_directory_read(archive, &state->directory);
    if (status == VGG_OK) {
        status = find_prefix(archive, state);
    }
    if (status == VGG_OK) {
        status = read_properties(archive, state);
    }
    if (status == VGG_OK) {
        status = open_pickle(archive, state);
    }
    if (status != VGG_OK) {
        return status;
    }
    note_writer(archive);
    archive->kind =
        find_file(state, "constants.pkl") != NULL ? VGG_CONTAINER_TORCHSCRIPT : VGG_CONTAINER_ZIP;
    archive->find_data = find_data;
    archive->read_member = read_member;
    return VGG_OK;
}

vgg_status vgg_zip_verify(const struct vgg_archive *archive, struct vgg_verified *out)
{
    struct vgg_zip_directory directory;
    uint64_t unpacked_bytes = 0;
    vgg_status status = vgg_zip_directory_read(archive, &directory);
    for (size_t i = 0; status == VGG_OK && i < directory.count; i++) {
        const struct vgg_zip_member *member = &directory.members[i];
        if (!vgg_zip_has_crc(member)) {
            out->crc_missing += member->bytes > 0;
            continue;
        }
        status = vgg_zip_unpack(archive, member, &unpacked_bytes, NULL);
        out->crc_checked++;
    }
    /* A program computes the CRC of all members or of none; a member without one could have been changed. */
    if (status == VGG_OK && out->crc_missing > 0 && out->crc_checked > 0) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: expected a CRC-32 of all members or of none, found none of %" PRIu32
                        " of %" PRIu32,
                        archive->load.path, out->crc_missing, out->crc_missing + out->crc_checked);
    }
    return status;
}
