/* SPDX-License-Identifier: MIT */
/* Reads the central directory of a zip archive. */
#include "checkpoint/container/zip_directory.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "checkpoint/container/zip_truncated.h"

enum {
    LOCAL_BYTES = 30, /* and name and extra field */
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    CENTRAL_BYTES = 46, /* and names and extra fields */

    FLAG_DESCRIPTOR = 0x0008,                 /* sizes and CRC follow the data */
    FLAGS_ALLOWED = 0x0800 | 0x0008 | 0x0006, /* UTF-8 names; descriptor; deflate's level */
    EXTRA_ZIP64 = 1,
};

vgg_status vgg_zip_fail_member(const struct vgg_archive *archive,
                               const struct vgg_zip_member *member, vgg_status code,
                               const char *reason)
{
    return vgg_fail_at(archive->load.err, code, member->offset, "%s: zip member %.*s: %s",
                       archive->load.path, VGG_SHOWN(member->name.bytes, member->name.length, 200),
                       reason);
}

/* Where the directory lies. */
struct extent {
    uint64_t offset, bytes, count;
};

/* Copies a record and reads the copy; a record that the file does not have is empty. */
static struct vgg_cursor copy_record(const struct vgg_file *file, uint64_t offset, uint8_t *record,
                                     size_t bytes)
{
    return vgg_cursor_make(record, vgg_file_copy(file, offset, bytes, record) ? bytes : 0);
}

static uint16_t u16(struct vgg_cursor *in)
{
    return (uint16_t)vgg_cursor_le(in, 2);
}

static uint32_t u32(struct vgg_cursor *in)
{
    return (uint32_t)vgg_cursor_le(in, 4);
}

static uint64_t u64(struct vgg_cursor *in)
{
    return vgg_cursor_le(in, 8);
}

/* Reads the zip64 end record and its locator, which lie right before the end record if the file has them. */
static vgg_status read_end64(const struct vgg_archive *archive, uint64_t end_offset,
                             struct extent *out, bool *found)
{
    uint8_t locator[LOCATOR64_BYTES], end[END64_BYTES];
    *found = false;
    if (end_offset < LOCATOR64_BYTES + END64_BYTES) {
        return VGG_OK;
    }
    struct vgg_cursor in =
        copy_record(archive->file, end_offset - LOCATOR64_BYTES, locator, sizeof locator);
    if (u32(&in) != LOCATOR64_SIGNATURE) {
        return VGG_OK;
    }
    uint64_t expected = end_offset - LOCATOR64_BYTES - END64_BYTES;
    uint32_t disk = u32(&in);
    uint64_t offset = u64(&in);
    uint32_t disks = u32(&in);
    if (disk != 0 || disks > 1 || offset != expected) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, end_offset - LOCATOR64_BYTES,
                           "%s: zip64 locator points to byte %" PRIu64 ", expected %" PRIu64,
                           archive->load.path, offset, expected);
    }
    in = copy_record(archive->file, offset, end, sizeof end);
    uint32_t signature = u32(&in);
    uint64_t size = u64(&in);
    vgg_cursor_take(&in, 4); /* versions */
    uint32_t this_disk = u32(&in), directory_disk = u32(&in);
    uint64_t count_here = u64(&in);
    out->count = u64(&in);
    out->bytes = u64(&in);
    out->offset = u64(&in);
    if (!in.ok || signature != END64_SIGNATURE || size != END64_BYTES - 12 || this_disk != 0 ||
        directory_disk != 0 || count_here != out->count) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, offset, "%s: bad zip64 end record",
                           archive->load.path);
    }
    *found = true;
    return VGG_OK;
}

/* Reports a missing end record: the file was truncated, or something was appended to it. */
static vgg_status fail_no_end(const struct vgg_archive *archive)
{
    const struct vgg_file *file = archive->file;
    size_t floor = file->size > END_BYTES + UINT16_MAX ? file->size - END_BYTES - UINT16_MAX : 0;
    for (size_t at = file->size; at-- > floor;) {
        if (file->size - at >= END_BYTES && memcmp(file->data + at, "PK\5\6", 4) == 0) {
            return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, at + END_BYTES,
                               "%s: %zu bytes after the zip archive's end (a comment, or "
                               "something appended), expected none",
                               archive->load.path, file->size - at - END_BYTES);
        }
    }
    return vgg_zip_fail_truncated(archive);
}

static vgg_status find_directory(const struct vgg_archive *archive, struct extent *out)
{
    const struct vgg_file *file = archive->file;
    uint8_t end[END_BYTES];
    if (file->size < END_BYTES) {
        return fail_no_end(archive);
    }
    uint64_t end_offset = file->size - END_BYTES;
    struct vgg_cursor in = copy_record(file, end_offset, end, sizeof end);
    if (u32(&in) != END_SIGNATURE) {
        return fail_no_end(archive);
    }
    uint16_t disk = u16(&in), directory_disk = u16(&in), count_here = u16(&in), count = u16(&in);
    uint32_t bytes = u32(&in), offset = u32(&in);
    uint16_t comment = u16(&in);
    if (disk != 0 || directory_disk != 0 || count_here != count || comment != 0) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, end_offset,
                           "%s: bad zip end record (several disks, or a comment)",
                           archive->load.path);
    }
    bool has_64;
    vgg_status status = read_end64(archive, end_offset, out, &has_64);
    if (status != VGG_OK) {
        return status;
    }
    if (!has_64) {
        *out = (struct extent){.offset = offset, .bytes = bytes, .count = count};
    } else if ((count != UINT16_MAX && count != out->count) ||
               (bytes != UINT32_MAX && bytes != out->bytes) ||
               (offset != UINT32_MAX && offset != out->offset)) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, end_offset,
                           "%s: the zip's two end records do not agree", archive->load.path);
    }
    uint64_t limit = has_64 ? end_offset - LOCATOR64_BYTES - END64_BYTES : end_offset;
    if (out->offset > limit || out->bytes != limit - out->offset ||
        out->count > out->bytes / CENTRAL_BYTES) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, end_offset,
                           "%s: zip directory of %" PRIu64 " members in %" PRIu64
                           " bytes at %" PRIu64 " does not fit the file",
                           archive->load.path, out->count, out->bytes, out->offset);
    }
    if (out->count > archive->load.limits->zip_entries) {
        return vgg_fail(archive->load.err, VGG_ERR_LIMIT,
                        "%s: zip archive of %" PRIu64 " members, limit is %" PRIu32,
                        archive->load.path, out->count, archive->load.limits->zip_entries);
    }
    if (out->bytes > archive->load.limits->header_bytes) {
        return vgg_fail(archive->load.err, VGG_ERR_LIMIT,
                        "%s: zip directory of %" PRIu64 " bytes, limit is %" PRIu64,
                        archive->load.path, out->bytes, archive->load.limits->header_bytes);
    }
    return VGG_OK;
}

/* Takes sizes and offset that do not fit 32 bits from the zip64 extra field. */
static bool read_extra64(struct vgg_cursor extra, struct vgg_zip_member *member)
{
    uint64_t *const fields[] = {&member->bytes, &member->packed_bytes, &member->offset};
    bool found = false;
    while (extra.ok && vgg_cursor_left(&extra) > 0) {
        uint16_t id = u16(&extra), length = u16(&extra);
        const uint8_t *data = vgg_cursor_take(&extra, length);
        if (!extra.ok) {
            return false;
        }
        if (id != EXTRA_ZIP64) {
            continue;
        }
        if (found) {
            return false;
        }
        found = true;
        struct vgg_cursor in = vgg_cursor_make(data, length);
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            if (*fields[i] == UINT32_MAX) {
                *fields[i] = u64(&in);
            }
        }
        if (!in.ok) {
            return false;
        }
    }
    return extra.ok;
}

/* Names are only compared, never used as paths; those that would be dangerous as paths are refused all the same. */
static bool is_good_name(struct vgg_span name)
{
    if (name.length == 0 || name.bytes[0] == '/') {
        return false;
    }
    const char *end = name.bytes + name.length, *part = name.bytes;
    for (const char *c = name.bytes;; c++) {
        if (c == end || *c == '/') {
            if (c - part == 2 && memcmp(part, "..", 2) == 0) {
                return false;
            }
            part = c + 1;
        }
        if (c == end) {
            return true;
        }
        if (*c == '\0' || *c == '\\') {
            return false;
        }
    }
}

/* The copied directory, and its place in the file. */
struct directory {
    struct vgg_cursor in;
    struct extent extent;
};

static vgg_status read_central(const struct vgg_archive *archive, struct directory *directory,
                               struct vgg_zip_member *out)
{
    struct vgg_cursor *in = &directory->in;
    const uint64_t at = directory->extent.offset + in->offset;
    uint32_t signature = u32(in);
    vgg_cursor_take(in, 4); /* versions */
    out->flags = u16(in);
    out->method = u16(in);
    vgg_cursor_take(in, 4); /* time, date */
    out->crc = u32(in);
    out->packed_bytes = u32(in);
    out->bytes = u32(in);
    uint16_t name_bytes = u16(in), extra_bytes = u16(in), comment_bytes = u16(in), disk = u16(in);
    vgg_cursor_take(in, 6); /* attributes */
    out->offset = u32(in);
    const uint8_t *name = vgg_cursor_take(in, name_bytes);
    const uint8_t *extra = vgg_cursor_take(in, extra_bytes);
    vgg_cursor_take(in, comment_bytes);
    if (!in->ok || signature != CENTRAL_SIGNATURE) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, at, "%s: bad zip directory entry",
                           archive->load.path);
    }
    out->name = (struct vgg_span){(const char *)name, name_bytes};
    if (!is_good_name(out->name)) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, at,
                           "%s: bad name in the zip directory", archive->load.path);
    }
    if (!read_extra64(vgg_cursor_make(extra, extra_bytes), out)) {
        return vgg_zip_fail_member(archive, out, VGG_ERR_FORMAT, "bad extra field");
    }
    if (disk != 0) {
        return vgg_zip_fail_member(archive, out, VGG_ERR_FORMAT, "on another disk");
    }
    if ((out->flags & ~FLAGS_ALLOWED) != 0) {
        return vgg_zip_fail_member(archive, out, VGG_ERR_UNSUPPORTED,
                                   "encrypted or of an unknown kind");
    }
    if (out->method != VGG_ZIP_STORED && out->method != VGG_ZIP_DEFLATED) {
        return vgg_zip_fail_member(archive, out, VGG_ERR_UNSUPPORTED,
                                   "compressed by a method other than deflate");
    }
    if (out->method == VGG_ZIP_STORED && out->bytes != out->packed_bytes) {
        return vgg_zip_fail_member(archive, out, VGG_ERR_FORMAT,
                                   "stored, but with two different sizes");
    }
    return VGG_OK;
}

/* Checks the local header against the directory and finds the data after it. torch.save writes zero for sizes and
 * CRC, and a descriptor after the data; without a descriptor they must be those of the directory. */
static vgg_status read_local(const struct vgg_archive *archive, uint64_t directory_offset,
                             struct vgg_zip_member *member)
{
    uint8_t header[LOCAL_BYTES];
    struct vgg_cursor in = copy_record(archive->file, member->offset, header, sizeof header);
    uint32_t signature = u32(&in);
    vgg_cursor_take(&in, 2); /* version */
    uint16_t flags = u16(&in), method = u16(&in);
    vgg_cursor_take(&in, 4); /* time, date */
    uint32_t crc = u32(&in), packed_bytes = u32(&in), bytes = u32(&in);
    uint16_t name_bytes = u16(&in), extra_bytes = u16(&in);
    uint64_t end;
    /* Does not overflow where the header was copied: it lies in the file. */
    member->data_offset = member->offset + LOCAL_BYTES + name_bytes + extra_bytes;
    if (!in.ok || signature != LOCAL_SIGNATURE ||
        __builtin_add_overflow(member->data_offset, member->packed_bytes, &end) ||
        end > directory_offset) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT, "does not fit the file");
    }
    /* Compared where it lies: nothing is parsed, and both lengths are known. */
    const uint8_t *name = archive->file->data + member->offset + LOCAL_BYTES;
    if (name_bytes != member->name.length || memcmp(name, member->name.bytes, name_bytes) != 0 ||
        flags != member->flags || method != member->method) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT,
                                   "local header does not agree with the directory");
    }
    bool sizes_follow = (flags & FLAG_DESCRIPTOR) != 0;
    if ((crc != member->crc && !(sizes_follow && crc == 0)) ||
        (packed_bytes != member->packed_bytes && packed_bytes != UINT32_MAX &&
         !(sizes_follow && packed_bytes == 0)) ||
        (bytes != member->bytes && bytes != UINT32_MAX && !(sizes_follow && bytes == 0))) {
        return vgg_zip_fail_member(archive, member, VGG_ERR_FORMAT,
                                   "sizes in the local header do not agree with the directory");
    }
    return VGG_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    const struct vgg_zip_member *left = a, *right = b;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static int compare_names(const void *a, const void *b)
{
    const struct vgg_zip_member *left = a, *right = b;
    return vgg_span_compare(left->name, right->name);
}

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* As compare_names, without regard to the case of ASCII letters. */
static int compare_folded(const void *a, const void *b)
{
    const struct vgg_span left = ((const struct vgg_zip_member *)a)->name;
    const struct vgg_span right = ((const struct vgg_zip_member *)b)->name;
    uint32_t common = left.length < right.length ? left.length : right.length;
    for (uint32_t i = 0; i < common; i++) {
        int order = fold(left.bytes[i]) - fold(right.bytes[i]);
        if (order != 0) {
            return order;
        }
    }
    return (left.length > right.length) - (left.length < right.length);
}

/* Refuses names that are equal or differ only in case. Sorts by name. */
static vgg_status check_names(const struct vgg_archive *archive, struct vgg_zip_member *members,
                              size_t count)
{
    qsort(members, count, sizeof *members, compare_folded);
    for (size_t i = 1; i < count; i++) {
        if (compare_folded(&members[i - 1], &members[i]) == 0) {
            return vgg_zip_fail_member(archive, &members[i], VGG_ERR_FORMAT,
                                       compare_names(&members[i - 1], &members[i]) == 0
                                           ? "is given twice"
                                           : "differs from another name only in case");
        }
    }
    qsort(members, count, sizeof *members, compare_names);
    return VGG_OK;
}

vgg_status vgg_zip_directory_read(const struct vgg_archive *archive, struct vgg_zip_directory *out)
{
    struct directory directory = {0};
    const struct extent *extent = &directory.extent;
    const uint8_t *copy = NULL;
    vgg_status status = find_directory(archive, &directory.extent);
    status = status ? status
                    : vgg_archive_copy(archive, extent->offset, (size_t)extent->bytes,
                                       "the zip directory", &copy);
    if (status != VGG_OK) {
        return status;
    }
    size_t count = (size_t)extent->count;
    struct vgg_zip_member *members = vgg_load_alloc(&archive->load, count, sizeof *members);
    if (members == NULL) {
        return vgg_load_fail_memory(&archive->load, count * sizeof *members, "the zip directory");
    }
    directory.in = vgg_cursor_make(copy, (size_t)extent->bytes);
    for (size_t i = 0; i < count; i++) {
        status = read_central(archive, &directory, &members[i]);
        if (status == VGG_OK) {
            status = read_local(archive, extent->offset, &members[i]);
        }
        if (status != VGG_OK) {
            return status;
        }
    }
    if (vgg_cursor_left(&directory.in) > 0) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, extent->offset + directory.in.offset,
                           "%s: the zip directory goes on after its last entry",
                           archive->load.path);
    }
    struct vgg_span first_name = count > 0 ? members[0].name : (struct vgg_span){"", 0};
    qsort(members, count, sizeof *members, compare_offsets);
    for (size_t i = 1; i < count; i++) {
        if (members[i].offset < members[i - 1].data_offset + members[i - 1].packed_bytes) {
            return vgg_zip_fail_member(archive, &members[i], VGG_ERR_FORMAT,
                                       "overlaps another member");
        }
    }
    status = check_names(archive, members, count);
    if (status != VGG_OK) {
        return status;
    }
    *out = (struct vgg_zip_directory){members, count, first_name};
    return VGG_OK;
}

const struct vgg_zip_member *vgg_zip_directory_find(const struct vgg_zip_directory *directory,
                                                    struct vgg_span name)
{
    struct vgg_zip_member wanted = {.name = name};
    return directory->count == 0 ? NULL
                                 : bsearch(&wanted, directory->members, directory->count,
                                           sizeof *directory->members, compare_names);
}
