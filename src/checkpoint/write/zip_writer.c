/* SPDX-License-Identifier: MIT */
/* Writes a zip archive of stored members. The local headers are padded by an extra field, as torch pads them, so that
 * the data can be mapped and used in place. */
#include "checkpoint/write/zip_writer.h"

#include <zlib.h>

enum {
    ALIGN = 64,
    LOCAL_BYTES = 30,
    WIDE_BYTES = 20, /* a zip64 field with two sizes */
    EXTRA_ZIP64 = 1,
    EXTRA_PADDING = 0x4246, /* "FB" */
    NEEDS_ZIP64 = 45,
    NEEDS_NOTHING = 20,
    FLAG_UTF8 = 0x0800,
    /* 1980-01-01, the first date of zip; constant, so that the same tensors give the same bytes. */
    DATE_1980 = 0x21,
};

void vgg_zip_writer_init(struct vgg_zip_writer *zip, struct vgg_outfile *out,
                         const struct vgg_allocator *allocator)
{
    *zip = (struct vgg_zip_writer){.out = out, .large = UINT32_MAX};
    zip->directory = (struct vgg_bytes){.ok = true, .allocator = allocator};
}

/* A header small enough for a buffer on the stack. */
struct header {
    uint8_t bytes[128 + ALIGN];
    size_t size;
};

static void add(struct header *header, uint64_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        header->bytes[header->size++] = (uint8_t)(value >> (8 * i));
    }
}

void vgg_zip_writer_begin(struct vgg_zip_writer *zip, const char *name, uint64_t bytes)
{
    struct header header = {.size = 0};
    zip->name_bytes = strlen(name);
    zip->header_offset = zip->out->offset;
    zip->wide = bytes >= zip->large;
    zip->crc = (uint32_t)crc32(0, NULL, 0);
    const size_t fixed = LOCAL_BYTES + zip->name_bytes + (zip->wide ? WIDE_BYTES : 0) + 4;
    const size_t padding = (size_t)(-(zip->header_offset + fixed) & (ALIGN - 1));
    add(&header, 0x04034b50, 4);
    add(&header, zip->wide ? NEEDS_ZIP64 : NEEDS_NOTHING, 2);
    add(&header, FLAG_UTF8, 2);
    add(&header, 0, 2); /* stored */
    add(&header, 0, 2);
    add(&header, DATE_1980, 2);
    add(&header, 0, 4); /* the CRC: see end */
    add(&header, zip->wide ? UINT32_MAX : bytes, 4);
    add(&header, zip->wide ? UINT32_MAX : bytes, 4);
    add(&header, zip->name_bytes, 2);
    add(&header, (zip->wide ? WIDE_BYTES : 0) + 4 + padding, 2);
    vgg_outfile_write(zip->out, header.bytes, header.size);
    vgg_outfile_write(zip->out, name, zip->name_bytes);
    header.size = 0;
    if (zip->wide) {
        add(&header, EXTRA_ZIP64, 2);
        add(&header, WIDE_BYTES - 4, 2);
        add(&header, bytes, 8);
        add(&header, bytes, 8);
    }
    add(&header, EXTRA_PADDING, 2);
    add(&header, padding, 2);
    memset(header.bytes + header.size, 'Z', padding);
    vgg_outfile_write(zip->out, header.bytes, header.size + padding);
    zip->data_offset = zip->out->offset;
}

void vgg_zip_writer_add(void *user, const void *bytes, size_t count)
{
    struct vgg_zip_writer *zip = user;
    zip->crc = (uint32_t)crc32_z(zip->crc, bytes, count);
    vgg_outfile_write(zip->out, bytes, count);
}

void vgg_zip_writer_end(struct vgg_zip_writer *zip, const char *name)
{
    enum { CRC_OFFSET = 14 };
    struct vgg_bytes *directory = &zip->directory;
    struct header crc = {.size = 0};
    const uint64_t bytes = zip->out->offset - zip->data_offset;
    const bool wide = zip->wide || zip->header_offset >= zip->large;
    add(&crc, zip->crc, 4);
    vgg_outfile_patch(zip->out, zip->header_offset + CRC_OFFSET, crc.bytes, crc.size);
    vgg_bytes_add_le(directory, 0x02014b50, 4);
    vgg_bytes_add_le(directory, NEEDS_ZIP64, 2); /* made by */
    vgg_bytes_add_le(directory, wide ? NEEDS_ZIP64 : NEEDS_NOTHING, 2);
    vgg_bytes_add_le(directory, FLAG_UTF8, 2);
    vgg_bytes_add_le(directory, 0, 2);
    vgg_bytes_add_le(directory, 0, 2);
    vgg_bytes_add_le(directory, DATE_1980, 2);
    vgg_bytes_add_le(directory, zip->crc, 4);
    vgg_bytes_add_le(directory, wide ? UINT32_MAX : bytes, 4);
    vgg_bytes_add_le(directory, wide ? UINT32_MAX : bytes, 4);
    vgg_bytes_add_le(directory, zip->name_bytes, 2);
    vgg_bytes_add_le(directory, wide ? 28 : 0, 2);
    vgg_bytes_add_le(directory, 0, 2); /* comment */
    vgg_bytes_add_le(directory, 0, 2); /* disk */
    vgg_bytes_add_le(directory, 0, 2);
    vgg_bytes_add_le(directory, 0, 4);
    vgg_bytes_add_le(directory, wide ? UINT32_MAX : zip->header_offset, 4);
    vgg_bytes_add(directory, name, zip->name_bytes);
    if (wide) {
        vgg_bytes_add_le(directory, EXTRA_ZIP64, 2);
        vgg_bytes_add_le(directory, 24, 2);
        vgg_bytes_add_le(directory, bytes, 8);
        vgg_bytes_add_le(directory, bytes, 8);
        vgg_bytes_add_le(directory, zip->header_offset, 8);
    }
    zip->member_count++;
}

bool vgg_zip_writer_finish(struct vgg_zip_writer *zip)
{
    struct vgg_bytes *directory = &zip->directory;
    const uint64_t start = zip->out->offset, size = directory->size;
    const bool wide = start >= zip->large || zip->member_count >= UINT16_MAX;
    if (wide) {
        vgg_bytes_add_le(directory, 0x06064b50, 4);
        vgg_bytes_add_le(directory, 44, 8);
        vgg_bytes_add_le(directory, NEEDS_ZIP64, 2);
        vgg_bytes_add_le(directory, NEEDS_ZIP64, 2);
        vgg_bytes_add_le(directory, 0, 4);
        vgg_bytes_add_le(directory, 0, 4);
        vgg_bytes_add_le(directory, zip->member_count, 8);
        vgg_bytes_add_le(directory, zip->member_count, 8);
        vgg_bytes_add_le(directory, size, 8);
        vgg_bytes_add_le(directory, start, 8);
        vgg_bytes_add_le(directory, 0x07064b50, 4);
        vgg_bytes_add_le(directory, 0, 4);
        vgg_bytes_add_le(directory, start + size, 8);
        vgg_bytes_add_le(directory, 1, 4);
    }
    vgg_bytes_add_le(directory, 0x06054b50, 4);
    vgg_bytes_add_le(directory, 0, 4);
    vgg_bytes_add_le(directory, wide ? UINT16_MAX : zip->member_count, 2);
    vgg_bytes_add_le(directory, wide ? UINT16_MAX : zip->member_count, 2);
    vgg_bytes_add_le(directory, wide ? UINT32_MAX : size, 4);
    vgg_bytes_add_le(directory, wide ? UINT32_MAX : start, 4);
    vgg_bytes_add_le(directory, 0, 2);
    const bool ok = directory->ok;
    if (ok) {
        vgg_outfile_write(zip->out, directory->data, directory->size);
    }
    vgg_mem_free(directory->allocator, directory->data);
    *directory = (struct vgg_bytes){0};
    return ok;
}
