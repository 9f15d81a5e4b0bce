/* SPDX-License-Identifier: MIT */
/* Tar archives in the scan: every format that Python's tarfile reads. */
#include "checkpoint/scan/tar_view.h"

#include "base/cursor.h"
#include "checkpoint/container/tar_header.h"

/* Octal digits, or big-endian bytes after 0x80. */
static bool read_number(const uint8_t *field, size_t bytes, uint64_t *out)
{
    size_t i = 0, digits = 0;
    *out = 0;
    if (field[0] == 0x80) {
        for (i = bytes - 8; i < bytes; i++) {
            *out = *out << 8 | field[i];
        }
        return true;
    }
    while (i < bytes && (field[i] == ' ' || field[i] == '\0')) {
        i++;
    }
    for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++, digits++) {
        *out = *out << 3 | (uint64_t)(field[i] - '0');
    }
    return digits > 0;
}

/* As tarfile does: the bytes of the header are summed up as signed or unsigned ones. */
static bool has_sum(const uint8_t *block)
{
    int64_t unsigned_sum = 0, signed_sum = 0;
    uint64_t expected;
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        const uint8_t c = i >= SUM_OFFSET && i < SUM_OFFSET + SUM_BYTES ? ' ' : block[i];
        unsigned_sum += c;
        signed_sum += (int8_t)c;
    }
    return read_number(block + SUM_OFFSET, SUM_BYTES, &expected) &&
           ((int64_t)expected == unsigned_sum || (int64_t)expected == signed_sum);
}

static bool is_header(const struct vgg_scan_item *item, uint64_t offset)
{
    return offset <= item->size && item->size - offset >= BLOCK_BYTES &&
           has_sum(item->data + offset);
}

/* Whether extracting it would write elsewhere. */
static bool leaves_folder(struct vgg_span name)
{
    bool begins = true;
    for (uint32_t i = 0; i < name.length; i++) {
        if (begins && name.length - i >= 2 && memcmp(name.bytes + i, "..", 2) == 0 &&
            (name.length - i == 2 || name.bytes[i + 2] == '/')) {
            return true;
        }
        begins = name.bytes[i] == '/';
    }
    return name.length > 0 && name.bytes[0] == '/';
}

/* The four members of a checkpoint of PyTorch before 0.1.10. */
static bool is_record(struct vgg_span name)
{
    return vgg_span_equals(name, "sys_info") || vgg_span_equals(name, "pickle") ||
           vgg_span_equals(name, "tensors") || vgg_span_equals(name, "storages");
}

static struct vgg_span name_of(const uint8_t *field, size_t bytes)
{
    return (struct vgg_span){(const char *)field, (uint32_t)strnlen((const char *)field, bytes)};
}

/* A pax header may give the next member another name and another size. */
static void read_pax(const uint8_t *data, size_t size, struct vgg_span *name, uint64_t *bytes)
{
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t stop = end != NULL ? (size_t)(end - data) : size;
        const uint8_t *space = memchr(data + at, ' ', stop - at);
        const size_t key = space != NULL ? (size_t)(space + 1 - data) : stop;
        if (stop - key > 5 && memcmp(data + key, "path=", 5) == 0) {
            *name = (struct vgg_span){(const char *)data + key + 5, (uint32_t)(stop - key - 5)};
        } else if (stop - key > 5 && memcmp(data + key, "size=", 5) == 0) {
            *bytes = 0;
            for (size_t i = key + 5; i < stop && data[i] >= '0' && data[i] <= '9'; i++) {
                *bytes = 10 * *bytes + (uint64_t)(data[i] - '0');
            }
        }
        at = stop + 1;
    }
}

static void push_member(struct vgg_scan_job *job, const struct vgg_scan_item *item,
                        struct vgg_span name, uint64_t offset, uint64_t size)
{
    const bool pickle = is_record(name) || vgg_span_ends_with(name, ".pkl");
    if (leaves_folder(name)) {
        vgg_scan_trick(job, item, offset, "a member whose name leaves the folder: %.*s",
                       VGG_SHOWN(name.bytes, name.length, 200));
    }
    if (size > 0) {
        vgg_scan_push(job, item,
                      (struct vgg_scan_item){.data = item->data + offset,
                                             .size = (size_t)size,
                                             .file_offset = item->file_offset == VGG_NO_OFFSET
                                                                ? VGG_NO_OFFSET
                                                                : item->file_offset + offset,
                                             .role = is_record(name) ? VGG_SCAN_RECORDS
                                                     : pickle        ? VGG_SCAN_PICKLE
                                                                     : VGG_SCAN_ANY},
                      name);
    }
}

bool vgg_scan_tar(struct vgg_scan_job *job, const struct vgg_scan_item *item)
{
    struct vgg_span long_name = {"", 0};
    uint64_t offset = 0, long_size = UINT64_MAX;
    if (!is_header(item, 0)) {
        return false;
    }
    while (is_header(item, offset) && job->status == VGG_OK) {
        const uint8_t *block = item->data + offset;
        const char type = (char)block[TYPE_OFFSET];
        uint64_t size = 0;
        if (!read_number(block + SIZE_OFFSET, SIZE_BYTES, &size)) {
            size = 0;
        }
        offset += BLOCK_BYTES;
        const bool extends = type == 'x' || type == 'g' || type == 'L' || type == 'K';
        size = !extends && long_size != UINT64_MAX ? long_size : size;
        size = size < item->size - offset ? size : item->size - offset;
        if (type == 'x') {
            read_pax(item->data + offset, (size_t)size, &long_name, &long_size);
        } else if (type == 'L') {
            long_name = name_of(item->data + offset, (size_t)size);
        } else if (!extends) {
            const struct vgg_span name =
                long_name.length > 0 ? long_name : name_of(block, NAME_BYTES);
            if (type == '1' || type == '2') {
                vgg_scan_trick(job, item, offset - BLOCK_BYTES, "a link: %.*s",
                               VGG_SHOWN(name.bytes, name.length, 200));
            } else {
                push_member(job, item, name, offset, size);
            }
            long_name.length = 0;
            long_size = UINT64_MAX;
        }
        offset += vgg_size_round_up((size_t)size, BLOCK_BYTES);
    }
    return true;
}
