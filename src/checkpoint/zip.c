/* The zip container, torch.save since 1.6: P/data.pkl, P/data/KEY, P/byteorder, P/version.
 *
 * Stored members, as torch writes them, are used where they lie in the mapped file. libzip, which
 * cannot say where that is, unpacks and verifies the pickle and whatever is deflated; it must see the
 * same directory as zip_directory.c. The CRC of a stored storage is not looked at: it would read the
 * whole file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <zip.h>

#include "checkpoint/zip_directory.h"

enum {
    VERSION_MAX = 10,         /* torch's kMaxSupportedFileFormatVersion */
    ALIGNMENT_MAX = 1 << 30,  /* of storages, in bytes; torch's default is 64 */
    DEFLATE_RATIO_MAX = 1032, /* deflate cannot shrink more */
    NAME_BYTES_MAX = 512,
    UNPACKED_FREE = 16 << 20, /* bytes that any archive may unpack to */
    SMALL_BYTES = 16,         /* room for the text of a small member */
};

struct zip_state {
    zip_t *zip;
    struct vgg_zip_directory directory;
    struct vgg_span prefix; /* the folder of all members, without the slash */
    bool swapped;
    uint64_t unpacked_bytes; /* so far */
};

static vgg_status fail_member(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, vgg_status code,
                              const char *reason, struct vgg_error *err)
{
    int shown = member->name.length > 200 ? 200 : (int)member->name.length;
    return vgg_fail_at(err, code, member->offset, "%s: zip member %.*s: %s", archive->path, shown,
                       member->name.bytes, reason);
}

/* What libzip says of a member, or of the whole archive (NULL). Without memory it often says that the
 * archive is bad; errno, which the caller has cleared, tells better. */
static vgg_status fail_libzip(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, zip_error_t *error,
                              struct vgg_error *err)
{
    if (errno == ENOMEM || zip_error_code_zip(error) == ZIP_ER_MEMORY) {
        return vgg_fail(err, VGG_ERR_MEMORY, "%s: out of memory (libzip)", archive->path);
    }
    return member != NULL
               ? fail_member(archive, member, VGG_ERR_FORMAT, zip_error_strerror(error), err)
               : vgg_fail(err, VGG_ERR_FORMAT, "%s: zip: %s", archive->path,
                          zip_error_strerror(error));
}

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

/* Weights hardly shrink: what unpacks to many times the file is a bomb. Members that lie in the file as
 * they are do not count. */
static vgg_status count_unpacked(const struct vgg_archive *archive,
                                 const struct vgg_zip_member *member, struct vgg_error *err)
{
    struct zip_state *state = archive->state;
    uint64_t most = UNPACKED_FREE, share;
    if (__builtin_mul_overflow(archive->file->size, archive->limits->unpack_ratio, &share) ||
        __builtin_add_overflow(most, share, &most)) {
        most = UINT64_MAX;
    }
    if (member->bytes > most || state->unpacked_bytes > most - member->bytes) {
        char reason[128];
        snprintf(reason, sizeof reason,
                 "unpacks to %" PRIu64 " bytes, limit is %" PRIu64 " for a file of %zu",
                 member->bytes, most, archive->file->size);
        return fail_member(archive, member, VGG_ERR_LIMIT, reason, err);
    }
    state->unpacked_bytes += member->method == VGG_ZIP_STORED ? 0 : member->bytes;
    return VGG_OK;
}

/* Unpacks a member into the archive's arena; libzip compares the CRC at the end. */
static vgg_status unpack(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                         const uint8_t **out, struct vgg_error *err)
{
    struct zip_state *state = archive->state;
    if (member->bytes / DEFLATE_RATIO_MAX > member->packed_bytes) {
        return fail_member(archive, member, VGG_ERR_FORMAT,
                           "unpacked size is more than deflate can make of the packed bytes", err);
    }
    vgg_status status = count_unpacked(archive, member, err);
    if (status != VGG_OK) {
        return status;
    }
    uint8_t *data = vgg_arena_alloc(archive->arena, (size_t)member->bytes, 1);
    if (data == NULL) {
        return vgg_fail_memory(err, archive->path, (size_t)member->bytes, "a zip member");
    }
    errno = 0;
    zip_file_t *file = zip_fopen_index(state->zip, member->index, ZIP_FL_UNCHANGED);
    if (file == NULL) {
        return fail_libzip(archive, member, zip_get_error(state->zip), err);
    }
    uint64_t done = 0;
    uint8_t extra;
    zip_int64_t got = 1;
    while (got > 0 && done < member->bytes) {
        got = zip_fread(file, data + done, member->bytes - done);
        done += got > 0 ? (uint64_t)got : 0;
    }
    if (got >= 0) {
        got = zip_fread(file, &extra, 1); /* reaching the end is what makes libzip check the CRC */
    }
    if (got < 0) {
        status = fail_libzip(archive, member, zip_file_get_error(file), err);
    } else if (got > 0 || done < member->bytes) {
        status = fail_member(
            archive, member, VGG_ERR_FORMAT,
            got > 0 ? "unpacks to more than its size" : "unpacks to less than its size", err);
    } else {
        *out = data;
    }
    zip_fclose(file);
    return status;
}

/* A member's bytes: where they lie in the file, else unpacked. */
static vgg_status view(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                       const uint8_t **data, uint64_t *file_offset, struct vgg_error *err)
{
    if (member->method == VGG_ZIP_STORED) {
        *data = archive->file->data + member->data_offset;
        *file_offset = member->data_offset;
        return VGG_OK;
    }
    *file_offset = VGG_NO_OFFSET;
    return unpack(archive, member, data, err);
}

static vgg_status locate(struct vgg_archive *archive, size_t pickle_bytes,
                         struct vgg_storages *storages, struct vgg_error *err)
{
    const struct zip_state *state = archive->state;
    if (pickle_bytes != archive->pickle.size) {
        return vgg_fail(err, VGG_ERR_FORMAT, "%s: data.pkl: %zu bytes after the pickle's end",
                        archive->path, archive->pickle.size - pickle_bytes);
    }
    for (size_t i = 0; i < storages->count; i++) {
        struct vgg_storage *storage = &storages->items[i];
        if (!storage->wanted) {
            continue;
        }
        const struct vgg_zip_member *member = find(state, "data/", storage->key);
        if (member == NULL) {
            return vgg_fail(err, VGG_ERR_FORMAT, "%s: storage %.*s is not in the archive",
                            archive->path, (int)storage->key.length, storage->key.bytes);
        }
        if (member->bytes != storage->bytes) {
            return vgg_fail_at(err, VGG_ERR_FORMAT, member->offset,
                               "%s: storage %.*s: expected %" PRIu64 " bytes (%" PRIu64
                               " x %s), found %" PRIu64,
                               archive->path, (int)storage->key.length, storage->key.bytes,
                               storage->bytes, storage->count, storage->type->name, member->bytes);
        }
        vgg_status status = view(archive, member, &storage->data, &storage->file_offset, err);
        if (status != VGG_OK) {
            return status;
        }
        storage->swapped = state->swapped;
    }
    return VGG_OK;
}

/* ---- opening ---- */

static bool ends_with(struct vgg_span name, const char *end)
{
    size_t length = strlen(end);
    return name.length >= length && memcmp(name.bytes + name.length - length, end, length) == 0;
}

/* The folder P of the only P/data.pkl. */
static vgg_status find_prefix(const struct vgg_archive *archive, struct zip_state *state,
                              struct vgg_error *err)
{
    static const char pickle_name[] = "/data.pkl";
    const struct vgg_zip_directory *directory = &state->directory;
    for (size_t i = 0; i < directory->count; i++) {
        struct vgg_span name = directory->members[i].name;
        if (!ends_with(name, pickle_name)) {
            continue;
        }
        struct vgg_span prefix = {name.bytes, name.length - (sizeof pickle_name - 1)};
        if (memchr(prefix.bytes, '/', prefix.length) != NULL || state->prefix.length > 0) {
            return fail_member(archive, &directory->members[i], VGG_ERR_FORMAT,
                               "expected exactly one pickle, FOLDER/data.pkl", err);
        }
        state->prefix = prefix;
    }
    if (state->prefix.length > 0) {
        return VGG_OK;
    }
    for (size_t i = 0; i < directory->count; i++) {
        struct vgg_span name = directory->members[i].name;
        if (ends_with(name, "model.json")) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: a TorchScript archive of PyTorch 1.0 or 1.1, not a state dict",
                            archive->path);
        }
        if (ends_with(name, ".pth") || ends_with(name, ".pt")) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: a zip archive that holds %.*s: unpack it first", archive->path,
                            name.length > 200 ? 200 : (int)name.length, name.bytes);
        }
    }
    return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                    "%s: a zip archive without FOLDER/data.pkl, not a PyTorch checkpoint",
                    archive->path);
}

/* The text of a small member ("3\n" gives "3"); empty when there is no such member. */
static vgg_status read_small(const struct vgg_archive *archive, const char *name,
                             char text[SMALL_BYTES], struct vgg_error *err)
{
    const struct vgg_zip_member *member = find_file(archive->state, name);
    const uint8_t *data;
    uint64_t offset;
    memset(text, 0, SMALL_BYTES);
    if (member == NULL) {
        return VGG_OK;
    }
    if (member->bytes >= SMALL_BYTES) {
        return fail_member(archive, member, VGG_ERR_FORMAT, "expected a short text", err);
    }
    vgg_status status = view(archive, member, &data, &offset, err);
    if (status != VGG_OK) {
        return status;
    }
    memcpy(text, data, (size_t)member->bytes);
    size_t length = strlen(text);
    if (length == 0 || length < member->bytes) {
        return fail_member(archive, member, VGG_ERR_FORMAT, "expected a short text", err);
    }
    text[length - (text[length - 1] == '\n')] = '\0';
    return VGG_OK;
}

/* A small member that is a decimal number, when there is one. */
static vgg_status check_number(const struct vgg_archive *archive, const char *name, long most,
                               struct vgg_error *err)
{
    char text[SMALL_BYTES];
    vgg_status status = read_small(archive, name, text, err);
    if (status != VGG_OK || text[0] == '\0') {
        return status;
    }
    long number = strtol(text, NULL, 10);
    if (strspn(text, "0123456789") != strlen(text) || number < 1 || number > most) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: %s: expected a number from 1 to %ld, found \"%s\"", archive->path,
                        name, most, text);
    }
    return VGG_OK;
}

static vgg_status read_properties(const struct vgg_archive *archive, struct zip_state *state,
                                  struct vgg_error *err)
{
    char text[SMALL_BYTES];
    vgg_status status = read_small(archive, "byteorder", text, err);
    if (status != VGG_OK) {
        return status;
    }
    bool little = text[0] == '\0' || strcmp(text, "little") == 0;
    if (!little && strcmp(text, "big") != 0) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: byteorder: expected \"little\" or \"big\", found \"%s\"",
                        archive->path, text);
    }
    state->swapped = little != vgg_host_is_little();
    if ((status = check_number(archive, "version", VERSION_MAX, err)) != VGG_OK ||
        (status = check_number(archive, ".data/version", VERSION_MAX, err)) != VGG_OK) {
        return status;
    }
    return check_number(archive, ".storage_alignment", ALIGNMENT_MAX, err);
}

/* Opens the mapped bytes with libzip and compares what it sees. */
static vgg_status open_libzip(const struct vgg_archive *archive, struct zip_state *state,
                              struct vgg_error *err)
{
    zip_error_t error;
    zip_error_init(&error);
    vgg_status status = VGG_OK;
    errno = 0;
    zip_source_t *source =
        zip_source_buffer_create(archive->file->data, archive->file->size, 0, &error);
    if (source == NULL) {
        status = fail_libzip(archive, NULL, &error, err);
        goto done;
    }
    state->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (state->zip == NULL) {
        zip_source_free(source);
        status = fail_libzip(archive, NULL, &error, err);
        goto done;
    }
    const struct vgg_zip_directory *directory = &state->directory;
    bool same = zip_get_num_entries(state->zip, 0) == (zip_int64_t)directory->count;
    for (size_t i = 0; same && i < directory->count; i++) {
        const struct vgg_zip_member *member = &directory->members[i];
        zip_stat_t info;
        same = zip_stat_index(state->zip, member->index, ZIP_FL_ENC_RAW, &info) == 0 &&
               vgg_span_equals(member->name, info.name) && info.size == member->bytes &&
               info.comp_size == member->packed_bytes && info.comp_method == member->method;
    }
    if (!same) {
        status = vgg_fail(err, VGG_ERR_FORMAT, "%s: zip: the directory can be read in two ways",
                          archive->path);
    }
done:
    zip_error_fini(&error);
    return status;
}

static vgg_status open_pickle(struct vgg_archive *archive, struct zip_state *state,
                              struct vgg_error *err)
{
    const struct vgg_zip_member *member = find_file(state, "data.pkl");
    if (member == NULL || member->bytes > archive->limits->pickle_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT,
                        "%s: data.pkl is larger than the limit of %" PRIu64 " bytes", archive->path,
                        archive->limits->pickle_bytes);
    }
    archive->pickle = (struct vgg_pickle_source){
        .path = archive->path, .size = (size_t)member->bytes, .file_offset = VGG_NO_OFFSET};
    if (member->method == VGG_ZIP_STORED) {
        archive->pickle.file_offset = member->data_offset;
        if (member->crc == 0) { /* torch was told not to compute it: nothing to verify */
            archive->pickle.data = archive->file->data + member->data_offset;
            return VGG_OK;
        }
    }
    return unpack(archive, member, &archive->pickle.data, err);
}

static void close_zip(struct vgg_archive *archive)
{
    struct zip_state *state = archive->state;
    if (state != NULL && state->zip != NULL) {
        zip_discard(state->zip);
    }
    archive->state = NULL;
}

vgg_status vgg_zip_open(struct vgg_archive *archive, struct vgg_error *err)
{
    struct zip_state *state = vgg_arena_alloc(archive->arena, 1, sizeof *state);
    if (state == NULL) {
        return vgg_fail_memory(err, archive->path, sizeof *state, "the zip archive");
    }
    archive->state = state;
    vgg_status status = vgg_zip_directory_read(archive, &state->directory, err);
    if (status == VGG_OK) {
        status = find_prefix(archive, state, err);
    }
    if (status == VGG_OK) {
        status = open_libzip(archive, state, err);
    }
    if (status == VGG_OK) {
        status = read_properties(archive, state, err);
    }
    if (status == VGG_OK) {
        status = open_pickle(archive, state, err);
    }
    if (status != VGG_OK) {
        close_zip(archive);
        return status;
    }
    archive->kind =
        find_file(state, "constants.pkl") != NULL ? VGG_CONTAINER_TORCHSCRIPT : VGG_CONTAINER_ZIP;
    archive->locate = locate;
    archive->close = close_zip;
    return VGG_OK;
}
