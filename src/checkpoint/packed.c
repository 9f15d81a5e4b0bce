/* Reading a packed file, which packed.h describes. */
#include "checkpoint/packed.h"

#include <inttypes.h>
#include <zlib.h>

#include "base/cursor.h"
#include "base/json.h"
#include "checkpoint/listed.h"

enum {
    SMALL_BYTES = 65536,    /* of a tensor whose CRC is always compared: biases */
    VALUES_PER_TENSOR = 16, /* of JSON; a tensor of eight dimensions has 15 */
    DEPTH = 5,              /* the object, the list, a tensor, its shape; and one more */
};

struct entry {
    struct vgg_span name; /* the arena's */
    struct vgg_tensor_view view;
    const struct vgg_element_type *type;
    const struct vgg_layout_type *layout;
    uint64_t offset, bytes; /* in the file */
    uint32_t crc;
};

struct reader {
    const struct vgg_archive *archive;
    const char *source; /* for messages about the directory */
    struct vgg_error *err;
    struct vgg_packed_header header;
    struct entry *entries;
    size_t count;
};

bool vgg_packed_is(const struct vgg_file *file)
{
    return file->size >= 8 && memcmp(file->data, VGG_PACKED_MAGIC, 8) == 0;
}

/* ---- the header, and what it gives a sum of ---- */

static vgg_status check_crc(const struct vgg_archive *archive, const char *what, uint64_t offset,
                            uint64_t bytes, uint32_t expected, struct vgg_error *err)
{
    const uint32_t found = (uint32_t)crc32_z(0, archive->file->data + offset, (size_t)bytes);
    if (found != expected) {
        return vgg_fail_at(err, VGG_ERR_FORMAT, offset,
                           "%s: %.200s: expected CRC-32 %08" PRIx32 ", found %08" PRIx32
                           ": the file is damaged",
                           archive->path, what, expected, found);
    }
    return VGG_OK;
}

/* The bytes that only fill a page. */
static vgg_status check_zeros(const struct vgg_archive *archive, uint64_t begin, uint64_t end,
                              struct vgg_error *err)
{
    for (uint64_t i = begin; i < end; i++) {
        if (archive->file->data[i] != 0) {
            return vgg_fail_at(err, VGG_ERR_FORMAT, i, "%s: expected zeros up to the next page",
                               archive->path);
        }
    }
    return VGG_OK;
}

static uint64_t next_page(uint64_t offset)
{
    return (offset + VGG_PACKED_PAGE_BYTES - 1) / VGG_PACKED_PAGE_BYTES * VGG_PACKED_PAGE_BYTES;
}

static void take_header(const struct vgg_file *file, struct vgg_packed_header *out)
{
    struct vgg_cursor in = vgg_cursor_make(file->data, file->size);
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

static vgg_status read_header(const struct vgg_archive *archive, struct vgg_packed_header *out,
                              struct vgg_error *err)
{
    const struct vgg_file *file = archive->file;
    if (file->size < VGG_PACKED_PAGE_BYTES) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: truncated: %zu bytes of a packed file, whose header alone has %d",
                        archive->path, file->size, VGG_PACKED_PAGE_BYTES);
    }
    take_header(file, out);
    if (out->version != VGG_PACKED_VERSION) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: packed file of version %" PRIu32
                        ", expected %d: pack the model again with this vgg-infer",
                        archive->path, out->version, VGG_PACKED_VERSION);
    }
    vgg_status status =
        check_crc(archive, "header", 0, VGG_PACKED_HEADER_BYTES - 4, out->header_crc, err);
    if (status != VGG_OK) {
        return status;
    }
    if (out->file_bytes > file->size) {
        return vgg_fail_truncated(archive, out->file_bytes, true, err);
    }
    /* By subtraction, because sums of what the file says could overflow. */
    const uint64_t size = file->size, offset = out->description_offset;
    if (out->page_bytes != VGG_PACKED_PAGE_BYTES || out->zero != 0 || out->file_bytes != size ||
        offset < VGG_PACKED_PAGE_BYTES || offset % VGG_PACKED_PAGE_BYTES != 0 || offset > size ||
        out->description_bytes > size - offset ||
        out->directory_bytes != size - offset - out->description_bytes) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: the header of the packed file does not fit its %" PRIu64
                        " bytes: expected %" PRIu64 ", a description of %" PRIu64 " at %" PRIu64
                        ", and a directory of %" PRIu64,
                        archive->path, size, out->file_bytes, out->description_bytes, offset,
                        out->directory_bytes);
    }
    if (out->directory_bytes > archive->limits->header_bytes ||
        out->description_bytes > archive->limits->json_bytes) {
        return vgg_fail(err, VGG_ERR_LIMIT,
                        "%s: description of %" PRIu64 " and directory of %" PRIu64
                        " bytes, limits are %" PRIu64 " and %" PRIu64,
                        archive->path, out->description_bytes, out->directory_bytes,
                        (uint64_t)archive->limits->json_bytes,
                        (uint64_t)archive->limits->header_bytes);
    }
    status = check_zeros(archive, VGG_PACKED_HEADER_BYTES, VGG_PACKED_PAGE_BYTES, err);
    if (status == VGG_OK) {
        status = check_crc(archive, "description", offset, out->description_bytes,
                           out->description_crc, err);
    }
    if (status == VGG_OK) {
        status = check_crc(archive, "directory", offset + out->description_bytes,
                           out->directory_bytes, out->directory_crc, err);
    }
    return status;
}

/* ---- the directory ---- */

static vgg_status fail_expected(const struct reader *reader, const char *name, const char *key,
                                const char *expected, const struct vgg_json *found)
{
    char shown[VGG_JSON_SHOWN_BYTES];
    vgg_json_show(found, shown);
    return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: %.200s: %s: expected %s, found %s",
                    reader->source, name, key, expected, found != NULL ? shown : "nothing");
}

static vgg_status read_shape(const struct reader *reader, const char *name,
                             const struct vgg_json *value, struct entry *out)
{
    if (!vgg_json_is(value, VGG_JSON_LIST) || vgg_json_count(value) > VGG_MAX_DIMS) {
        return fail_expected(reader, name, "shape", "a list of up to 8 sides", value);
    }
    for (const struct vgg_json *item = vgg_json_first(value); item != NULL;
         item = vgg_json_next(item)) {
        uint64_t side;
        if (!vgg_json_size(item, &side) || side == 0) {
            return fail_expected(reader, name, "shape", "positive whole numbers", item);
        }
        out->view.shape[out->view.ndim++] = (int64_t)side;
    }
    return VGG_OK;
}

/* The types and layouts there are, and the bytes that follow. */
static vgg_status read_type(const struct reader *reader, const char *name,
                            const struct vgg_json *entry, struct entry *out)
{
    const struct vgg_json *dtype = vgg_json_get(entry, "dtype");
    const struct vgg_json *layout = vgg_json_get(entry, "layout");
    uint64_t elements;
    if (vgg_json_is(dtype, VGG_JSON_TEXT)) {
        out->type = vgg_listed_find_type(vgg_json_text(dtype));
    }
    if (out->type == NULL || !out->type->supported) {
        return fail_expected(reader, name, "dtype", "a type such as \"F32\"", dtype);
    }
    if (vgg_json_is(layout, VGG_JSON_TEXT)) {
        out->layout = vgg_layout_find(vgg_json_text(layout));
    }
    if (out->layout == NULL) {
        return fail_expected(reader, name, "layout", "a layout such as \"rows\"", layout);
    }
    vgg_status status = read_shape(reader, name, vgg_json_get(entry, "shape"), out);
    if (status != VGG_OK) {
        return status;
    }
    if (!out->layout->measure(out->view.shape, out->view.ndim, &elements) ||
        __builtin_mul_overflow(elements, out->type->bytes, &out->bytes)) {
        return vgg_fail(reader->err, VGG_ERR_FORMAT,
                        "%s: %.200s: shape: no tensor of %s and of layout %s has this one",
                        reader->source, name, out->type->name, out->layout->name);
    }
    return VGG_OK;
}

/* Tensors follow each other, each at the first page after the one before. */
static vgg_status check_place(const struct reader *reader, const char *name, uint64_t expected,
                              const struct entry *entry)
{
    const uint64_t end = reader->header.description_offset;
    if (entry->offset != expected || entry->offset > end || entry->bytes > end - entry->offset) {
        return vgg_fail(reader->err, VGG_ERR_FORMAT,
                        "%s: %.200s: expected its bytes at %" PRIu64 " and before %" PRIu64
                        ", found %" PRIu64 " at %" PRIu64,
                        reader->source, name, expected, end, entry->bytes, entry->offset);
    }
    return VGG_OK;
}

static vgg_status read_entry(const struct reader *reader, const struct vgg_json *value,
                             uint64_t expected, struct entry *out)
{
    static const char *const known[] = {"name", "dtype", "layout", "shape", "offset", "crc32"};
    uint64_t crc;
    const struct vgg_json *text = vgg_json_get(value, "name");
    if (!vgg_json_is(text, VGG_JSON_TEXT)) {
        return fail_expected(reader, "a tensor", "name", "a text", text);
    }
    const char *name = vgg_json_text(text);
    for (const struct vgg_json *field = vgg_json_first(value); field != NULL;
         field = vgg_json_next(field)) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            found = found || strcmp(vgg_json_key(field), known[i]) == 0;
        }
        if (!found) {
            return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: %.200s: %.200s: unknown key",
                            reader->source, name, vgg_json_key(field));
        }
    }
    vgg_status status = read_type(reader, name, value, out);
    if (status != VGG_OK) {
        return status;
    }
    if (!vgg_json_size(vgg_json_get(value, "offset"), &out->offset)) {
        return fail_expected(reader, name, "offset", "a whole number",
                             vgg_json_get(value, "offset"));
    }
    if (!vgg_json_size(vgg_json_get(value, "crc32"), &crc) || crc > UINT32_MAX) {
        return fail_expected(reader, name, "crc32", "32 bits", vgg_json_get(value, "crc32"));
    }
    out->crc = (uint32_t)crc;
    const size_t length = strlen(name);
    out->name = (struct vgg_span){vgg_arena_copy_string(reader->archive->arena, name, length),
                                  (uint32_t)length};
    return out->name.bytes != NULL
               ? check_place(reader, name, expected, out)
               : vgg_fail_memory(reader->err, reader->archive->path, length, "the tensors' names");
}

static vgg_status read_entries(struct reader *reader, const struct vgg_json *root)
{
    const struct vgg_archive *archive = reader->archive;
    const struct vgg_json *list = vgg_json_get(root, "tensors");
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_count(root) != 1) {
        return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: expected one list, of tensors",
                        reader->source);
    }
    const size_t count = vgg_json_count(list);
    if (count > archive->limits->tensors) {
        return vgg_fail(reader->err, VGG_ERR_LIMIT, "%s: %zu tensors, limit is %" PRIu32,
                        reader->source, count, archive->limits->tensors);
    }
    reader->entries = vgg_arena_alloc(archive->arena, count, sizeof *reader->entries);
    if (reader->entries == NULL) {
        return vgg_fail_memory(reader->err, archive->path, count * sizeof *reader->entries,
                               "the tensors");
    }
    uint64_t end = VGG_PACKED_PAGE_BYTES;
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item)) {
        struct entry *entry = &reader->entries[reader->count];
        vgg_status status = read_entry(reader, item, end, entry);
        if (status != VGG_OK) {
            return status;
        }
        end = next_page(entry->offset + entry->bytes);
        reader->count++;
    }
    if (end != reader->header.description_offset) {
        return vgg_fail(reader->err, VGG_ERR_FORMAT,
                        "%s: expected the description after the tensors, at %" PRIu64
                        ", found it at %" PRIu64,
                        reader->source, end, reader->header.description_offset);
    }
    return VGG_OK;
}

static vgg_status read_directory(struct reader *reader)
{
    const struct vgg_archive *archive = reader->archive;
    const struct vgg_packed_header *header = &reader->header;
    static const char suffix[] = ": directory";
    const size_t path_length = strlen(archive->path);
    uint64_t values;
    struct vgg_json *root;
    if (__builtin_mul_overflow((uint64_t)archive->limits->tensors, VALUES_PER_TENSOR, &values) ||
        values > UINT32_MAX) {
        values = UINT32_MAX;
    }
    const struct vgg_json_bounds bounds = {.depth = DEPTH, .values = (uint32_t)values};
    vgg_status status = read_header(archive, &reader->header, reader->err);
    if (status != VGG_OK) {
        return status;
    }
    char *source = vgg_arena_alloc(archive->arena, path_length + sizeof suffix, 1);
    if (source == NULL) {
        return vgg_fail_memory(reader->err, archive->path, path_length, "the path");
    }
    memcpy(source, archive->path, path_length);
    memcpy(source + path_length, suffix, sizeof suffix);
    reader->source = source;
    status = vgg_json_parse(
        source, archive->file->data + header->description_offset + header->description_bytes,
        (size_t)header->directory_bytes, &bounds, vgg_allocator_of(archive->arena->context), &root,
        reader->err);
    if (status == VGG_OK) {
        status = read_entries(reader, root);
        vgg_json_free(root);
    }
    return status;
}

/* ---- the container ---- */

/* {name: tensor, …} */
static vgg_status read_tensors(struct vgg_archive *archive, struct vgg_pickle *pickle,
                               struct vgg_storages *storages, struct vgg_error *err)
{
    struct reader reader = {.archive = archive, .err = err};
    vgg_status status = read_directory(&reader);
    for (size_t i = 0; i < reader.count && status == VGG_OK; i++) {
        const struct entry *entry = &reader.entries[i];
        if (entry->bytes <= SMALL_BYTES) {
            status =
                check_crc(archive, entry->name.bytes, entry->offset, entry->bytes, entry->crc, err);
        }
    }
    if (status != VGG_OK) {
        return status;
    }
    archive->description = archive->file->data + reader.header.description_offset;
    archive->description_bytes = (size_t)reader.header.description_bytes;
    struct vgg_listed_tensor *items = vgg_arena_alloc(archive->arena, reader.count, sizeof *items);
    if (items == NULL) {
        return vgg_fail_memory(err, archive->path, reader.count * sizeof *items, "the tensors");
    }
    for (size_t i = 0; i < reader.count; i++) {
        const struct entry *entry = &reader.entries[i];
        items[i] = (struct vgg_listed_tensor){.name = entry->name,
                                              .view = entry->view,
                                              .type = entry->type,
                                              .layout = entry->layout->layout,
                                              .offset = entry->offset,
                                              .bytes = entry->bytes};
    }
    return vgg_listed_make_dict(archive, items, reader.count, pickle, storages, err);
}

vgg_status vgg_packed_open(struct vgg_archive *archive, struct vgg_error *err)
{
    (void)err;
    archive->kind = VGG_CONTAINER_PACKED;
    archive->read = read_tensors;
    return VGG_OK;
}

vgg_status vgg_packed_verify(const struct vgg_archive *archive, struct vgg_verified *out,
                             struct vgg_error *err)
{
    struct reader reader = {.archive = archive, .err = err};
    vgg_status status = read_directory(&reader);
    out->crc_checked = 3; /* header, description, directory */
    for (size_t i = 0; i < reader.count && status == VGG_OK; i++) {
        const struct entry *entry = &reader.entries[i];
        const uint64_t end = entry->offset + entry->bytes;
        status =
            check_crc(archive, entry->name.bytes, entry->offset, entry->bytes, entry->crc, err);
        if (status == VGG_OK) {
            status = check_zeros(archive, end, next_page(end), err);
        }
        out->crc_checked++;
    }
    return status;
}
