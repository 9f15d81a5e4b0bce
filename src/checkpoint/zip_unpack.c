/* Members unpacked by libzip, or copied; their CRC. */
#include "checkpoint/zip_unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <zip.h>
#include <zlib.h>

enum {
    DEFLATE_RATIO_MAX = 1032, /* deflate cannot shrink more */
    UNPACKED_FREE = 16 << 20, /* bytes that any archive may unpack to */
    SCRATCH_BYTES = 64 << 10,
};

/* What libzip says of a member, or of the whole archive (NULL). Without memory it often says that the
 * archive is bad; errno, which the caller has cleared, tells better. */
static vgg_status fail_libzip(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, zip_error_t *error,
                              struct vgg_error *err)
{
    if (errno == ENOMEM || zip_error_code_zip(error) == ZIP_ER_MEMORY) {
        return vgg_fail(err, VGG_ERR_MEMORY, "%s: out of memory (libzip)", archive->path);
    }
    return member != NULL ? vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT,
                                                zip_error_strerror(error), err)
                          : vgg_fail(err, VGG_ERR_FORMAT, "%s: zip: %s", archive->path,
                                     zip_error_strerror(error));
}

/* Weights hardly shrink: what unpacks to many times the file is a bomb. Members that lie in the file as
 * they are do not count. */
vgg_status vgg_zip_check_size(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint64_t unpacked_bytes,
                              struct vgg_error *err)
{
    if (member->bytes / DEFLATE_RATIO_MAX > member->packed_bytes) {
        return vgg_zip_fail_member(
            archive, member, VGG_ERR_FORMAT,
            "unpacked size is more than deflate can make of the packed bytes", err);
    }
    uint64_t most = UNPACKED_FREE, share;
    if (__builtin_mul_overflow(archive->file->size, archive->limits->unpack_ratio, &share) ||
        __builtin_add_overflow(most, share, &most)) {
        most = UINT64_MAX;
    }
    if (member->bytes > most || unpacked_bytes > most - member->bytes) {
        char reason[128];
        snprintf(reason, sizeof reason,
                 "unpacks to %" PRIu64 " bytes, limit is %" PRIu64 " for a file of %zu",
                 member->bytes, most, archive->file->size);
        return vgg_zip_fail_member(archive, member, VGG_ERR_LIMIT, reason, err);
    }
    return VGG_OK;
}

/* Opens the mapped bytes with libzip and compares what it sees. */
static vgg_status open_libzip(const struct vgg_archive *archive, struct vgg_zip_unpacker *unpacker,
                              struct vgg_error *err)
{
    const struct vgg_zip_directory *directory = unpacker->directory;
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
    unpacker->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (unpacker->zip == NULL) {
        zip_source_free(source);
        status = fail_libzip(archive, NULL, &error, err);
        goto done;
    }
    bool same = zip_get_num_entries(unpacker->zip, 0) == (zip_int64_t)directory->count;
    for (size_t i = 0; same && i < directory->count; i++) {
        const struct vgg_zip_member *member = &directory->members[i];
        zip_stat_t info;
        same = zip_stat_index(unpacker->zip, member->index, ZIP_FL_ENC_RAW, &info) == 0 &&
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

/* Where a member lies in the file as it is, libzip is not needed. */
static vgg_status copy_stored(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint8_t *data,
                              struct vgg_error *err)
{
    const uint8_t *bytes = archive->file->data + member->data_offset;
    if (data != NULL && member->bytes > 0) {
        memcpy(data, bytes, (size_t)member->bytes);
        bytes = data; /* what is used is what is compared, even if the file changes */
    }
    return crc32_z(crc32(0, NULL, 0), bytes, (size_t)member->bytes) == member->crc
               ? VGG_OK
               : vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, "CRC error", err);
}

vgg_status vgg_zip_unpack(const struct vgg_archive *archive, struct vgg_zip_unpacker *unpacker,
                          const struct vgg_zip_member *member, uint8_t *data, struct vgg_error *err)
{
    uint8_t scratch[SCRATCH_BYTES];
    if (member->method == VGG_ZIP_STORED) {
        return copy_stored(archive, member, data, err);
    }
    vgg_status status = vgg_zip_check_size(archive, member, unpacker->unpacked_bytes, err);
    if (status == VGG_OK && unpacker->zip == NULL) {
        status = open_libzip(archive, unpacker, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    unpacker->unpacked_bytes += member->bytes;
    errno = 0;
    zip_file_t *file = zip_fopen_index(unpacker->zip, member->index, ZIP_FL_UNCHANGED);
    if (file == NULL) {
        return fail_libzip(archive, member, zip_get_error(unpacker->zip), err);
    }
    uint64_t done = 0;
    uint8_t extra;
    zip_int64_t got = 1;
    while (got > 0 && done < member->bytes) {
        uint64_t left = member->bytes - done;
        got = data != NULL
                  ? zip_fread(file, data + done, left)
                  : zip_fread(file, scratch, left < sizeof scratch ? left : sizeof scratch);
        done += got > 0 ? (uint64_t)got : 0;
    }
    if (got >= 0) {
        got = zip_fread(file, &extra, 1); /* reaching the end is what makes libzip check the CRC */
    }
    if (got < 0) {
        status = fail_libzip(archive, member, zip_file_get_error(file), err);
    } else if (got > 0 || done < member->bytes) {
        status = vgg_zip_fail_member(
            archive, member, VGG_ERR_FORMAT,
            got > 0 ? "unpacks to more than its size" : "unpacks to less than its size", err);
    }
    zip_fclose(file);
    return status;
}

void vgg_zip_unpacker_close(struct vgg_zip_unpacker *unpacker)
{
    if (unpacker->zip != NULL) {
        zip_discard(unpacker->zip);
    }
    *unpacker = (struct vgg_zip_unpacker){0};
}
