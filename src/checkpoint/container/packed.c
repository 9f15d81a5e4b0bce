/* SPDX-License-Identifier: MIT */
/* Reading a packed file, which packed_format.h describes. */
#include "checkpoint/container/packed.h"

#include <inttypes.h>
#include <zlib.h>

#include "base/byteorder.h"
#include "base/cursor.h"
#include "checkpoint/container/packed_directory.h"

enum { SMALL_BYTES = 65536 }; /* of a tensor whose CRC is always compared: biases */

/* What is parsed of the file, copied. */
struct parts {
    struct vgg_packed_header header;
    const uint8_t *description; /* [header.description_bytes] */
    struct vgg_packed_directory directory;
};

bool vgg_packed_is(const struct vgg_archive *archive)
{
    return archive->head_bytes >= 8 && memcmp(archive->head, VGG_PACKED_MAGIC, 8) == 0;
}

/* ---- the header, and the parts that it has a CRC of ---- */

/* A part of the file, or a copy of it. */
struct part {
    const char *what;
    const uint8_t *data;
    uint64_t offset, bytes;
};

static vgg_status check_crc(const struct vgg_archive *archive, const struct part *part,
                            uint32_t expected)
{
    const uint32_t found = (uint32_t)crc32_z(0, part->data, (size_t)part->bytes);
    if (found != expected) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, part->offset,
                           "%s: %.200s: expected CRC-32 %08" PRIx32 ", found %08" PRIx32
                           ": the file is damaged",
                           archive->load.path, part->what, expected, found);
    }
    return VGG_OK;
}

/* The padding before a page. */
static vgg_status check_zeros(const struct vgg_archive *archive, uint64_t begin, uint64_t end)
{
    for (uint64_t i = begin; i < end; i++) {
        if (archive->file->data[i] != 0) {
            return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, i,
                               "%s: expected zeros up to the next page", archive->load.path);
        }
    }
    return VGG_OK;
}

static void take_header(const uint8_t bytes[VGG_PACKED_HEADER_BYTES], struct vgg_packed_header *out)
{
    struct vgg_cursor in = vgg_cursor_make(bytes, VGG_PACKED_HEADER_BYTES);
    vgg_cursor_take(&in, 8);
    out->version = (uint32_t)vgg_cursor_le(&in, 4);
    out->page_bytes = (uint32_t)vgg_cursor_le(&in, 4);
    out->file_bytes = vgg_cursor_le(&in, 8);
    out->description_offset = vgg_cursor_le(&in, 8);
    out->description_bytes = vgg_cursor_le(&in, 8);
    out->directory_bytes = vgg_cursor_le(&in, 8);
    out->description_crc = (uint32_t)vgg_cursor_le(&in, 4);
    out->directory_crc = (uint32_t)vgg_cursor_le(&in, 4);
    out->zero = (uint32_t)vgg_cursor_le(&in, 4);
    out->header_crc = (uint32_t)vgg_cursor_le(&in, 4);
}

static vgg_status read_header(const struct vgg_archive *archive, struct vgg_packed_header *out)
{
    const struct vgg_file *file = archive->file;
    uint8_t bytes[VGG_PACKED_HEADER_BYTES];
    if (file->size < VGG_PACKED_PAGE_BYTES) {
        return vgg_fail(
            archive->load.err, VGG_ERR_FORMAT,
            "%s: truncated: %zu bytes of a packed file, expected at least the %d of its header",
            archive->load.path, file->size, VGG_PACKED_PAGE_BYTES);
    }
    vgg_file_copy(file, 0, sizeof bytes, bytes);
    take_header(bytes, out);
    if (out->version != VGG_PACKED_VERSION) {
        return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                        "%s: packed file of version %" PRIu32
                        ", expected %d: pack the model again with this vgg-infer",
                        archive->load.path, out->version, VGG_PACKED_VERSION);
    }
    const struct part header = {"header", bytes, 0, sizeof bytes - 4};
    vgg_status status = check_crc(archive, &header, out->header_crc);
    if (status != VGG_OK) {
        return status;
    }
    if (out->file_bytes > file->size) {
        return vgg_archive_fail_truncated(archive, out->file_bytes, true);
    }
    /* Subtracted, because sums of numbers from the file could overflow. */
    const uint64_t size = file->size, offset = out->description_offset;
    if (out->page_bytes != VGG_PACKED_PAGE_BYTES || out->zero != 0 || out->file_bytes != size ||
        offset < VGG_PACKED_PAGE_BYTES || offset % VGG_PACKED_PAGE_BYTES != 0 || offset > size ||
        out->description_bytes > size - offset ||
        out->directory_bytes != size - offset - out->description_bytes) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: the header of the packed file does not fit its %" PRIu64
                        " bytes: expected %" PRIu64 ", a description of %" PRIu64 " at %" PRIu64
                        ", and a directory of %" PRIu64,
                        archive->load.path, size, out->file_bytes, out->description_bytes, offset,
                        out->directory_bytes);
    }
    if (out->directory_bytes > archive->load.limits->header_bytes ||
        out->description_bytes > archive->load.limits->json_bytes) {
        return vgg_fail(archive->load.err, VGG_ERR_LIMIT,
                        "%s: description of %" PRIu64 " and directory of %" PRIu64
                        " bytes, limits are %" PRIu64 " and %" PRIu64,
                        archive->load.path, out->description_bytes, out->directory_bytes,
                        (uint64_t)archive->load.limits->json_bytes,
                        (uint64_t)archive->load.limits->header_bytes);
    }
    return check_zeros(archive, VGG_PACKED_HEADER_BYTES, VGG_PACKED_PAGE_BYTES);
}

/* Copies the description or the directory, whose size is bounded, and compares the copy's CRC. */
static vgg_status copy_text(const struct vgg_archive *archive, struct part *part, uint32_t crc)
{
    vgg_status status =
        vgg_archive_copy(archive, part->offset, (size_t)part->bytes, part->what, &part->data);
    return status == VGG_OK ? check_crc(archive, part, crc) : status;
}

static vgg_status read_parts(const struct vgg_archive *archive, struct parts *out)
{
    struct vgg_packed_header *header = &out->header;
    vgg_status status = read_header(archive, header);
    if (status != VGG_OK) {
        return status;
    }
    const uint64_t offset = header->description_offset, bytes = header->description_bytes;
    struct part description = {"description", NULL, offset, bytes};
    struct part directory = {"directory", NULL, offset + bytes, header->directory_bytes};
    status = copy_text(archive, &description, header->description_crc);
    status = status ? status : copy_text(archive, &directory, header->directory_crc);
    if (status != VGG_OK) {
        return status;
    }
    out->description = description.data;
    return vgg_packed_directory_read(archive, header, directory.data, &out->directory);
}

static vgg_status check_entry(const struct vgg_archive *archive,
                              const struct vgg_packed_entry *entry)
{
    const struct part part = {entry->name.bytes, archive->file->data + entry->offset, entry->offset,
                              entry->bytes};
    return check_crc(archive, &part, entry->crc);
}

/* ---- the container ---- */

/* The tensor of an entry; it has no data where the file has only weights prepacked from it. */
static struct vgg_tensor_entry list_tensor(const struct vgg_packed_entry *entry)
{
    struct vgg_tensor_entry item = {.name = entry->name,
                                    .view = entry->view,
                                    .type = entry->type,
                                    .layout = VGG_LAYOUT_PREPACKED,
                                    .offset = entry->offset,
                                    .bytes = entry->type->bytes};
    if (entry->layout != NULL) {
        item.layout = entry->layout->layout;
        item.bytes = entry->bytes;
        return item;
    }
    /* The product does not overflow: it is at most the size of the prepacked weights. */
    for (int i = 0; i < entry->view.ndim; i++) {
        item.bytes *= (uint64_t)entry->view.shape[i];
    }
    return item;
}

static struct vgg_prepacked list_prepacked(const struct vgg_archive *archive,
                                           const struct vgg_packed_entry *entry)
{
    const uint8_t *data = archive->file->data + entry->offset;
    const bool usable = vgg_host_is_little() && (uintptr_t)data % VGG_PREPACKED_ALIGN_BYTES == 0;
    return (struct vgg_prepacked){.name = entry->name.bytes,
                                  .info = entry->order,
                                  .data = usable ? data : NULL,
                                  .bytes = entry->bytes,
                                  .file_offset = entry->offset};
}

/* Makes the dict {name: tensor, …} and the list of prepacked weights. */
static vgg_status read_tensors(struct vgg_archive *archive, struct vgg_pickle *pickle,
                               struct vgg_storages *storages)
{
    struct parts parts = {0};
    vgg_status status = read_parts(archive, &parts);
    const struct vgg_packed_directory directory = parts.directory;
    for (size_t i = 0; status == VGG_OK && i < directory.count; i++) {
        if (directory.entries[i].bytes <= SMALL_BYTES) {
            status = check_entry(archive, &directory.entries[i]);
        }
    }
    if (status != VGG_OK) {
        return status;
    }
    archive->description = parts.description;
    archive->description_bytes = (size_t)parts.header.description_bytes;
    struct vgg_tensor_entry *items = vgg_load_alloc(&archive->load, directory.count, sizeof *items);
    struct vgg_prepacked *prepacked =
        vgg_load_alloc(&archive->load, directory.count, sizeof *prepacked);
    if (items == NULL || prepacked == NULL) {
        return vgg_load_fail_memory(&archive->load, directory.count * sizeof *items, "the tensors");
    }
    size_t count = 0;
    archive->prepacked = prepacked;
    for (size_t i = 0; i < directory.count; i++) {
        const struct vgg_packed_entry *entry = &directory.entries[i];
        if (entry->layout != NULL || !entry->follows) {
            items[count++] = list_tensor(entry);
        }
        if (entry->layout == NULL) {
            prepacked[archive->prepacked_count++] = list_prepacked(archive, entry);
        }
    }
    return vgg_entries_make_dict(archive, items, count, pickle, storages);
}

vgg_status vgg_packed_open(struct vgg_archive *archive)
{
    archive->kind = VGG_CONTAINER_PACKED;
    archive->read = read_tensors;
    return VGG_OK;
}

vgg_status vgg_packed_verify(const struct vgg_archive *archive, struct vgg_verified *out)
{
    struct parts parts = {0};
    vgg_status status = read_parts(archive, &parts);
    out->crc_checked = 3; /* header, description, directory */
    for (size_t i = 0; status == VGG_OK && i < parts.directory.count; i++) {
        const struct vgg_packed_entry *entry = &parts.directory.entries[i];
        const uint64_t end = entry->offset + entry->bytes;
        status = check_entry(archive, entry);
        if (status == VGG_OK) {
            status = check_zeros(archive, end, vgg_packed_next_page(end));
        }
        out->crc_checked++;
    }
    return status;
}
