/* SPDX-License-Identifier: MIT */
/* Zip archives as lax readers see them: Python's zipfile allows bytes before the archive and a comment after it, miniz,
 * which PyTorch uses, takes the last end record whatever stands behind it, and others go by local headers. */
#include "checkpoint/scan/zip_loose.h"

#include <stdlib.h>

#include "base/cursor.h"

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    NAME_BYTES_MAX = 1024,
};

static uint64_t number(const struct vgg_scan_item *item, uint64_t offset, unsigned bytes)
{
    struct vgg_cursor in = vgg_cursor_make(item->data, item->size);
    vgg_cursor_take(&in, offset);
    return vgg_cursor_le(&in, bytes);
}

bool vgg_loose_add(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                   struct vgg_loose_list *out, struct vgg_loose_member member)
{
    if (out->count >= job->load->limits->zip_entries) {
        vgg_scan_unread(job, item, member.header, "more members than are looked into");
        return false;
    }
    if (out->count == out->capacity) {
        const size_t capacity = out->capacity > 0 ? 2 * out->capacity : 64;
        struct vgg_loose_member *grown =
            vgg_mem_grow(vgg_load_allocator(job->load), out->members, out->count * sizeof *grown,
                         capacity * sizeof *grown);
        if (grown == NULL) {
            job->status = vgg_load_fail_memory(job->load, capacity * sizeof *grown, "the scan");
            return false;
        }
        out->members = grown;
        out->capacity = capacity;
    }
    out->members[out->count++] = member;
    return true;
}

size_t vgg_loose_find_end(const struct vgg_scan_item *item, size_t before)
{
    const size_t size = item->size;
    const size_t floor = size > END_BYTES + UINT16_MAX ? size - END_BYTES - UINT16_MAX : 0;
    for (size_t at = before + 1; at-- > floor;) {
        if (size - at >= END_BYTES && item->data[at] == 'P' &&
            memcmp(item->data + at, "PK\5\6", 4) == 0) {
            const uint64_t bytes = number(item, at + 12, 4), offset = number(item, at + 16, 4);
            if (bytes == UINT32_MAX || offset == UINT32_MAX || bytes <= at) {
                return at;
            }
        }
    }
    return SIZE_MAX;
}

/* Data of at most the bytes that there are. */
static void find_data(const struct vgg_scan_item *item, struct vgg_loose_member *member)
{
    member->data = member->header + LOCAL_BYTES + number(item, member->header + 26, 2) +
                   number(item, member->header + 28, 2);
    if (member->data > item->size) {
        member->data = item->size;
    }
    if (member->packed_bytes > item->size - member->data) {
        member->packed_bytes = item->size - member->data;
    }
}

static bool is_local(const struct vgg_scan_item *item, uint64_t offset)
{
    return offset < item->size && item->size - offset >= LOCAL_BYTES &&
           memcmp(item->data + offset, "PK\3\4", 4) == 0;
}

/* The sizes and the offset that do not fit 32 bits stand in the extra field. */
static void read_extra64(const struct vgg_scan_item *item, uint64_t extra, uint64_t end,
                         struct vgg_loose_member *member)
{
    uint64_t *const fields[] = {&member->bytes, &member->packed_bytes, &member->header};
    while (extra + 4 <= end) {
        const uint64_t length = number(item, extra + 2, 2);
        if (number(item, extra, 2) == 1) {
            uint64_t at = extra + 4;
            for (size_t i = 0; i < 3; i++) {
                if (*fields[i] == UINT32_MAX && at + 8 <= extra + 4 + length) {
                    *fields[i] = number(item, at, 8);
                    at += 8;
                }
            }
            return;
        }
        extra += 4 + length;
    }
}

/* One entry at *at, which moves to the next. */
static bool read_central(const struct vgg_scan_item *item, uint64_t *at,
                         struct vgg_loose_member *out)
{
    const uint64_t start = *at;
    if (start > item->size || item->size - start < CENTRAL_BYTES ||
        memcmp(item->data + start, "PK\1\2", 4) != 0) {
        return false;
    }
    const uint64_t name_bytes = number(item, start + 28, 2),
                   extra = start + CENTRAL_BYTES + name_bytes,
                   extra_bytes = number(item, start + 30, 2);
    *at = extra + extra_bytes + number(item, start + 32, 2);
    if (extra > item->size) {
        return false;
    }
    *out = (struct vgg_loose_member){
        .name = {(const char *)item->data + start + CENTRAL_BYTES, (uint32_t)name_bytes},
        .flags = (uint16_t)number(item, start + 8, 2),
        .method = (uint16_t)number(item, start + 10, 2),
        .crc = (uint32_t)number(item, start + 16, 4),
        .packed_bytes = number(item, start + 20, 4),
        .bytes = number(item, start + 24, 4),
        .header = number(item, start + 42, 4),
        .listed = true,
    };
    read_extra64(item, extra, extra + extra_bytes, out);
    return true;
}

/* Entries from a position on; offsets are relative to `base`. */
static void read_entries(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                         uint64_t directory, uint64_t base, struct vgg_loose_list *out)
{
    struct vgg_loose_member member;
    while (job->status == VGG_OK && read_central(item, &directory, &member)) {
        uint64_t header = member.header;
        if (__builtin_add_overflow(header, base, &header) || !is_local(item, header)) {
            header = member.header;
        }
        if (!is_local(item, header)) {
            vgg_scan_trick(job, item, directory, "a member without a local header: %.*s",
                           VGG_SHOWN(member.name.bytes, member.name.length, 200));
            continue;
        }
        member.header = header;
        find_data(item, &member);
        if (!vgg_loose_add(job, item, out, member)) {
            return;
        }
    }
}

void vgg_loose_read_directory(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                              size_t end, struct vgg_loose_list *out)
{
    uint64_t bytes = number(item, end + 12, 4), offset = number(item, end + 16, 4);
    uint64_t directory_end = end;
    if (end >= LOCATOR64_BYTES && number(item, end - LOCATOR64_BYTES, 4) == 0x07064b50) {
        uint64_t at = number(item, end - LOCATOR64_BYTES + 8, 8);
        if (number(item, at, 4) != 0x06064b50 && end >= LOCATOR64_BYTES + END64_BYTES) {
            at = end - LOCATOR64_BYTES - END64_BYTES; /* there are bytes before the archive */
        }
        if (number(item, at, 4) == 0x06064b50) {
            bytes = number(item, at + 40, 8);
            offset = number(item, at + 48, 8);
            directory_end = at;
        }
    }
    if (offset < item->size) {
        read_entries(job, item, offset, 0, out);
    }
    /* Where the directory is if it ends at the end record, as Python's zipfile reads it. */
    if (bytes <= directory_end && directory_end - bytes > offset) {
        read_entries(job, item, directory_end - bytes, directory_end - bytes - offset, out);
    }
}

/* Whether what begins as a local header can be one. */
static bool read_local(const struct vgg_scan_item *item, uint64_t at, struct vgg_loose_member *out)
{
    static const uint16_t methods[] = {0, 8, 9, 12, 14, 93, 95, 99};
    const uint64_t name_bytes = number(item, at + 26, 2);
    bool known = false;
    *out = (struct vgg_loose_member){
        .flags = (uint16_t)number(item, at + 6, 2),
        .method = (uint16_t)number(item, at + 8, 2),
        .packed_bytes = number(item, at + 18, 4),
        .bytes = number(item, at + 22, 4),
        .header = at,
    };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        known = known || out->method == methods[i];
    }
    if (!is_local(item, at) || !known || name_bytes == 0 || name_bytes > NAME_BYTES_MAX ||
        name_bytes > item->size - at - LOCAL_BYTES || number(item, at + 4, 2) > 100) {
        return false;
    }
    out->name =
        (struct vgg_span){(const char *)item->data + at + LOCAL_BYTES, (uint32_t)name_bytes};
    if (out->packed_bytes == 0 || out->packed_bytes == UINT32_MAX) {
        out->packed_bytes = item->size; /* the sizes follow the data */
    }
    find_data(item, out);
    return true;
}

static int compare_headers(const void *a, const void *b)
{
    const struct vgg_loose_member *left = a, *right = b;
    return (left->header > right->header) - (left->header < right->header);
}

/* Adds the local headers between two positions. */
static void search(struct vgg_scan_job *job, const struct vgg_scan_item *item, uint64_t from,
                   uint64_t to, struct vgg_loose_list *out)
{
    struct vgg_loose_member member;
    if (!vgg_scan_spend(job, item, to - from)) {
        return;
    }
    while (from < to && job->status == VGG_OK) {
        const uint8_t *found = memmem(item->data + from, (size_t)(to - from), "PK\3\4", 4);
        if (found == NULL) {
            return;
        }
        const uint64_t at = (uint64_t)(found - item->data);
        from = at + 4;
        if (read_local(item, at, &member) && !vgg_loose_add(job, item, out, member)) {
            return;
        }
    }
}

void vgg_loose_find_headers(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                            struct vgg_loose_list *out)
{
    const size_t listed = out->count;
    uint64_t covered = 0;
    if (listed > 0) {
        qsort(out->members, listed, sizeof *out->members, compare_headers);
    }
    for (size_t i = 0; i <= listed && job->status == VGG_OK; i++) {
        const uint64_t next = i < listed ? out->members[i].header : item->size;
        if (next > covered) {
            search(job, item, covered, next, out);
        }
        if (i < listed) {
            const uint64_t end = out->members[i].data + out->members[i].packed_bytes;
            covered = end > covered ? end : covered;
        }
    }
}
