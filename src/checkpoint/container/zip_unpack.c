/* SPDX-License-Identifier: MIT */
/* Members unpacked by libzip, or copied; their CRC. */
#include "checkpoint/container/zip_unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <zip.h>
#include <zlib.h>

enum {
    DEFLATE_RATIO_MAX = 1032, /* deflate cannot shrink more */
    UNPACKED_FREE = 16 << 20, /* bytes that any archive may unpack to */
    SCRATCH_BYTES = 64 << 10,
    MEMBER_BYTES_MAX = 0x7fffffff,
    LOCAL_BYTES = 30, /* of a local header without its name */
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    NAME_BYTES = 1,
};

/* Reports an error of libzip. Out of memory, libzip often reports a bad archive instead; errno, which the caller has
 * cleared, is reliable. */
static vgg_status fail_libzip(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, zip_error_t *error)
{
    if (errno == ENOMEM || zip_error_code_zip(error) == ZIP_ER_MEMORY) {
        return vgg_fail(archive->load.err, VGG_ERR_MEMORY, "%s: out of memory (libzip)",
                        archive->load.path);
    }
    return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, zip_error_strerror(error));
}

/* Weights hardly compress: an archive that unpacks to many times its own size is malicious. Stored members do not
 * count. */
vgg_status vgg_zip_check_size(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint64_t unpacked_bytes)
{
    if (member->bytes / DEFLATE_RATIO_MAX > member->packed_bytes) {
        return vgg_zip_fail_member(
            archive, member, VGG_ERR_FORMAT,
            "unpacked size is more than deflate can make of the packed bytes");
    }
    uint64_t max = UNPACKED_FREE, share;
    if (__builtin_mul_overflow(archive->file->size, archive->load.limits->unpack_ratio, &share) ||
        __builtin_add_overflow(max, share, &max)) {
        max = UINT64_MAX;
    }
    if (member->bytes > max || unpacked_bytes > max - member->bytes) {
        char reason[128];
        snprintf(reason, sizeof reason,
                 "unpacks to %" PRIu64 " bytes, limit is %" PRIu64 " for a file of %zu",
                 member->bytes, max, archive->file->size);
        return vgg_zip_fail_member(archive, member, VGG_ERR_LIMIT, reason);
    }
    return VGG_OK;
}

/* The bytes before and after a member's packed bytes in an archive of this member alone. */
struct wrapping {
    uint8_t head[LOCAL_BYTES + NAME_BYTES];
    uint8_t tail[CENTRAL_BYTES + NAME_BYTES + END_BYTES];
};

static uint8_t *put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *at++ = (uint8_t)(value >> (8 * i));
    }
    return at;
}

/* The fields that both headers share, from the version needed to the lengths of name and extra field. */
static uint8_t *put_fields(uint8_t *at, const struct vgg_zip_member *member)
{
    at = put_le(at, 20, 2); /* version 2.0 knows deflate */
    at = put_le(at, 0, 2);  /* flags */
    at = put_le(at, member->method, 2);
    at = put_le(at, 0, 4); /* time, date */
    at = put_le(at, member->crc, 4);
    at = put_le(at, member->packed_bytes, 4);
    at = put_le(at, member->bytes, 4);
    at = put_le(at, NAME_BYTES, 2);
    return put_le(at, 0, 2);
}

static void wrap(const struct vgg_zip_member *member, struct wrapping *out)
{
    uint64_t directory_offset = sizeof out->head + member->packed_bytes;
    uint8_t *at = put_le(out->head, 0x04034b50, 4);
    at = put_fields(at, member);
    put_le(at, 'x', NAME_BYTES);
    at = put_le(out->tail, 0x02014b50, 4);
    at = put_le(at, 20, 2); /* made by */
    at = put_fields(at, member);
    at = put_le(at, 0, 2 + 2 + 2); /* comment, disk, attributes */
    at = put_le(at, 0, 4 + 4);     /* attributes, offset of the local header */
    at = put_le(at, 'x', NAME_BYTES);
    at = put_le(at, 0x06054b50, 4);
    at = put_le(at, 0, 2 + 2); /* disks */
    at = put_le(at, 1, 2);     /* members here, in all */
    at = put_le(at, 1, 2);
    at = put_le(at, CENTRAL_BYTES + NAME_BYTES, 4);
    at = put_le(at, directory_offset, 4);
    put_le(at, 0, 2); /* comment */
}

/* Opens an archive of this member alone. For the whole file, libzip would build a hash table of all names, which a
 * malicious file can make collide: 100,000 of them took minutes. */
static vgg_status open_libzip(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, struct wrapping *wrapping,
                              zip_t **out)
{
    if (member->packed_bytes == 0) { /* libzip takes no empty fragments */
        return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, "compressed, but empty");
    }
    if (member->packed_bytes > MEMBER_BYTES_MAX || member->bytes > MEMBER_BYTES_MAX) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_UNSUPPORTED,
                                   "compressed, and larger than 2 GB");
    }
    /* libzip copies a fragment piece by piece as it reads, so that the packed bytes may change. */
    wrap(member, wrapping);
    zip_buffer_fragment_t fragments[] = {
        {wrapping->head, sizeof wrapping->head},
        {(zip_uint8_t *)archive->file->data + member->data_offset, member->packed_bytes},
        {wrapping->tail, sizeof wrapping->tail},
    };
    zip_error_t error;
    zip_error_init(&error);
    errno = 0;
    zip_source_t *source = zip_source_buffer_fragment_create(
        fragments, sizeof fragments / sizeof fragments[0], 0, &error);
    *out = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    vgg_status status = *out != NULL ? VGG_OK : fail_libzip(archive, member, &error);
    if (*out == NULL) {
        zip_source_free(source);
    }
    zip_error_fini(&error);
    return status;
}

/* Copies a stored member, or only compares its CRC if it has one; libzip is not needed. */
static vgg_status copy_stored(const struct vgg_archive *archive,
                              const struct vgg_zip_member *member, uint8_t *data)
{
    const uint8_t *bytes = archive->file->data + member->data_offset;
    if (data != NULL) {
        vgg_file_copy(archive->file, member->data_offset, (size_t)member->bytes, data);
        bytes = data; /* the bytes compared are the bytes used, even if the file changes */
    }
    if (!vgg_zip_has_crc(member)) {
        return VGG_OK;
    }
    return crc32_z(crc32(0, NULL, 0), bytes, (size_t)member->bytes) == member->crc
               ? VGG_OK
               : vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, "CRC error");
}

vgg_status vgg_zip_unpack(const struct vgg_archive *archive, const struct vgg_zip_member *member,
                          uint64_t *unpacked_bytes, uint8_t *data)
{
    uint8_t scratch[SCRATCH_BYTES];
    struct wrapping wrapping;
    zip_t *zip = NULL;
    if (member->method == VGG_ZIP_STORED) {
        return copy_stored(archive, member, data);
    }
    vgg_status status = vgg_zip_check_size(archive, member, *unpacked_bytes);
    if (status == VGG_OK) {
        status = open_libzip(archive, member, &wrapping, &zip);
    }
    if (status != VGG_OK) {
        return status;
    }
    *unpacked_bytes += member->bytes;
    errno = 0;
    zip_file_t *file = zip_fopen_index(zip, 0, ZIP_FL_UNCHANGED);
    if (file == NULL) {
        status = fail_libzip(archive, member, zip_get_error(zip));
        zip_discard(zip);
        return status;
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
        got = zip_fread(file, &extra, 1); /* libzip checks the CRC at the end */
    }
    if (got < 0) {
        status = fail_libzip(archive, member, zip_file_get_error(file));
    } else if (got > 0 || done < member->bytes) {
        status = vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT,
                                     got > 0 ? "unpacks to more than its size"
                                             : "unpacks to less than its size");
    }
    zip_fclose(file);
    zip_discard(zip);
    return status;
}
