/* SPDX-License-Identifier: MIT */
/* Reads the headers of a tar archive. */
#include "checkpoint/container/tar_members.h"

#include <inttypes.h>

#include "base/cursor.h"
#include "checkpoint/container/tar_header.h"

enum {
    PAX_BYTES_MAX = 64 << 10,     /* of one extended header; real ones have 40 */
    PADDING_BYTES_MAX = 64 << 10, /* after the end; tar writes records of 10 KiB */
};

static const char magic[] = "ustar\0"
                            "00";
static const char *const names[VGG_TAR_MEMBERS] = {"sys_info", "pickle", "tensors", "storages"};

/* A header; an extended header before it may have changed size and name. */
struct header {
    uint8_t block[BLOCK_BYTES]; /* a copy */
    size_t offset;
    uint64_t size;
    struct vgg_span name;
    char type;
};

/* The contents of an extended header. */
struct pax {
    struct vgg_span path; /* absent: empty */
    uint64_t size;
    bool has_size;
};

bool vgg_tar_is(const struct vgg_archive *archive)
{
    return archive->head_bytes >= BLOCK_BYTES &&
           memcmp(archive->head + MAGIC_OFFSET, "ustar", 5) == 0;
}

/* An octal number, followed by spaces or NULs; false when it is something else. */
static bool read_octal(const uint8_t *field, size_t bytes, uint64_t *out)
{
    size_t i = 0;
    *out = 0;
    while (i < bytes && field[i] >= '0' && field[i] <= '7') {
        *out = *out << 3 | (uint64_t)(field[i++] - '0');
    }
    if (i == 0) {
        return false;
    }
    while (i < bytes && (field[i] == ' ' || field[i] == '\0')) {
        i++;
    }
    return i == bytes;
}

static struct vgg_span read_text(const uint8_t *field, size_t bytes)
{
    const char *text = (const char *)field;
    return (struct vgg_span){text, (uint32_t)strnlen(text, bytes)};
}

static vgg_status fail_header(const struct vgg_archive *archive, size_t offset, const char *reason)
{
    return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, offset, "%s: tar header: %s",
                       archive->load.path, reason);
}

/* The index of a name; VGG_TAR_MEMBERS: none of them. */
static size_t find_name(struct vgg_span name)
{
    size_t i = 0;
    while (i < VGG_TAR_MEMBERS && !vgg_span_equals(name, names[i])) {
        i++;
    }
    return i;
}

static vgg_status fail_foreign(const struct vgg_archive *archive, struct vgg_span name)
{
    return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                    "%s: a tar archive that holds %.*s, not a checkpoint: unpack it first",
                    archive->load.path, VGG_SHOWN(name.bytes, name.length, 200));
}

static bool has_sum(const uint8_t *block)
{
    uint64_t expected, sum = 0;
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        bool in_sum = i >= SUM_OFFSET && i < SUM_OFFSET + SUM_BYTES;
        sum += in_sum ? ' ' : block[i];
    }
    return read_octal(block + SUM_OFFSET, SUM_BYTES, &expected) && sum == expected;
}

static vgg_status read_header(const struct vgg_archive *archive, size_t offset, struct header *out)
{
    const uint8_t *block = out->block;
    *out = (struct header){.offset = offset};
    vgg_file_copy(archive->file, offset, BLOCK_BYTES, out->block);
    out->name = read_text(block, NAME_BYTES);
    out->type = (char)block[TYPE_OFFSET];
    if (memcmp(block + MAGIC_OFFSET, magic, sizeof magic - 1) != 0) {
        return find_name(out->name) < VGG_TAR_MEMBERS
                   ? fail_header(archive, offset, "expected ustar or PAX, found another format")
                   : fail_foreign(archive, out->name);
    }
    if (!has_sum(block)) {
        return fail_header(archive, offset, "wrong checksum");
    }
    if (!read_octal(block + SIZE_OFFSET, SIZE_BYTES, &out->size)) {
        return fail_header(archive, offset, "the size is not an octal number");
    }
    return VGG_OK;
}

static bool span_starts(struct vgg_span text, const char *start)
{
    size_t length = strlen(start);
    return text.length >= length && memcmp(text.bytes, start, length) == 0;
}

static bool read_decimal(struct vgg_span text, uint64_t *out)
{
    *out = 0;
    for (uint32_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned)(text.bytes[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, digit, out)) {
            return false;
        }
    }
    return text.length > 0;
}

/* One record, "LENGTH KEY=VALUE\n", whose length counts all of it. */
static bool read_record(struct vgg_cursor *in, struct vgg_span *key, struct vgg_span *value)
{
    const char *start = (const char *)in->data + in->offset;
    size_t left = vgg_cursor_left(in);
    const char *space = memchr(start, ' ', left < 20 ? left : 20);
    uint64_t length;
    if (space == NULL ||
        !read_decimal((struct vgg_span){start, (uint32_t)(space - start)}, &length) ||
        length > left || length < (uint64_t)(space - start) + 3 || start[length - 1] != '\n') {
        return false;
    }
    const char *end = start + length - 1,
               *equals = memchr(space + 1, '=', (size_t)(end - space - 1));
    if (equals == NULL || equals == space + 1) {
        return false;
    }
    *key = (struct vgg_span){space + 1, (uint32_t)(equals - space - 1)};
    *value = (struct vgg_span){equals + 1, (uint32_t)(end - equals - 1)};
    in->offset += (size_t)length;
    return true;
}

static vgg_status read_pax(const struct vgg_archive *archive, const struct header *header,
                           struct pax *out)
{
    const uint8_t *records;
    vgg_status status = vgg_archive_copy(archive, header->offset + BLOCK_BYTES,
                                         (size_t)header->size, "an extended header", &records);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_cursor in = vgg_cursor_make(records, (size_t)header->size);
    while (vgg_cursor_left(&in) > 0) {
        struct vgg_span key, value;
        if (!read_record(&in, &key, &value)) {
            return fail_header(archive, header->offset, "bad record in an extended header");
        }
        if (span_starts(key, "GNU.sparse")) {
            return fail_header(archive, header->offset, "a sparse file, expected a plain one");
        }
        if (vgg_span_equals(key, "path")) {
            if (out->path.length > 0) {
                return fail_header(archive, header->offset, "two paths in an extended header");
            }
            out->path = value;
        } else if (vgg_span_equals(key, "size")) {
            if (out->has_size || !read_decimal(value, &out->size)) {
                return fail_header(archive, header->offset, "bad size in an extended header");
            }
            out->has_size = true;
        } /* times, owners and comments are skipped */
    }
    return VGG_OK;
}

/* A regular file of a name that is expected, for the first time. */
static vgg_status note_member(const struct vgg_archive *archive, const struct header *header,
                              struct vgg_tar_member *members)
{
    size_t i = find_name(header->name);
    if (i == VGG_TAR_MEMBERS || read_text(header->block + PREFIX_OFFSET, PREFIX_BYTES).length > 0) {
        return fail_foreign(archive, header->name);
    }
    if (header->type != '0' && header->type != '\0') {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, header->offset,
                           "%s: tar member %s is a link or a special file, expected a regular one",
                           archive->load.path, names[i]);
    }
    if (members[i].found) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, header->offset,
                           "%s: tar member %s is given twice", archive->load.path, names[i]);
    }
    members[i] = (struct vgg_tar_member){.offset = header->offset + BLOCK_BYTES,
                                         .end = header->offset + BLOCK_BYTES + (size_t)header->size,
                                         .found = true};
    return VGG_OK;
}

static bool is_zero(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Two blocks of zeros, and more of them up to a full record. */
static vgg_status check_end(const struct vgg_archive *archive, size_t offset)
{
    size_t left = archive->file->size - offset;
    if (left < 2 * BLOCK_BYTES) {
        return vgg_archive_fail_truncated(archive, offset + 2 * BLOCK_BYTES, false);
    }
    if (left > PADDING_BYTES_MAX || left % BLOCK_BYTES != 0 ||
        !is_zero(archive->file->data + offset, left)) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, offset,
                           "%s: %zu bytes after the last tar member, expected zeros up to a full "
                           "record",
                           archive->load.path, left);
    }
    return VGG_OK;
}

vgg_status vgg_tar_members_read(const struct vgg_archive *archive,
                                struct vgg_tar_member out[VGG_TAR_MEMBERS])
{
    const struct vgg_file *file = archive->file;
    struct pax pax = {0};
    bool extended = false;
    size_t offset = 0;
    memset(out, 0, VGG_TAR_MEMBERS * sizeof *out);
    /* Ends after few headers: a fifth file is refused, and so is an extended header after another. */
    while (file->size - offset >= BLOCK_BYTES && file->data[offset] != 0) {
        struct header header;
        vgg_status status = read_header(archive, offset, &header);
        if (status != VGG_OK) {
            return status;
        }
        bool extends = header.type == 'x';
        if (extends && (extended || header.size > PAX_BYTES_MAX)) {
            return fail_header(archive, offset, "an extended header after another, or a huge one");
        }
        if (!extends && pax.has_size) {
            header.size = pax.size;
        }
        if (!extends && pax.path.length > 0) {
            header.name = pax.path;
        }
        if (header.size > INT64_MAX) {
            return fail_header(archive, offset, "the size is out of range");
        }
        /* Before the size, so that a truncated archive of other files is reported as such. */
        status = extends ? VGG_OK : note_member(archive, &header, out);
        if (status != VGG_OK) {
            return status;
        }
        const uint64_t blocks = (header.size + BLOCK_BYTES - 1) / BLOCK_BYTES;
        const uint64_t end = offset + (1 + blocks) * BLOCK_BYTES;
        if (end > file->size) {
            return vgg_archive_fail_truncated(archive, end + 2 * BLOCK_BYTES, false);
        }
        pax = (struct pax){0};
        extended = extends;
        if (extends) {
            status = read_pax(archive, &header, &pax);
            if (status != VGG_OK) {
                return status;
            }
        }
        offset = (size_t)end;
    }
    if (extended) {
        return fail_header(archive, offset, "an extended header without a file after it");
    }
    vgg_status status = check_end(archive, offset);
    for (size_t i = 0; i < VGG_TAR_MEMBERS && status == VGG_OK; i++) {
        if (!out[i].found) {
            status = vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                              "%s: tar archive without %s, not a checkpoint", archive->load.path,
                              names[i]);
        }
    }
    return status;
}
