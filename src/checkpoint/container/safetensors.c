/* SPDX-License-Identifier: MIT */
/* safetensors: the length of a header (8 bytes), the header in JSON,
 *   {"NAME": {"dtype": "F32", "shape": [64,3,3,3], "data_offsets": [BEGIN, END]}, …,
 *    "__metadata__": {"KEY": "VALUE", …}},
 * and the data, little-endian and row-major. Offsets count from the end of the header.
 *
 * The tensors must tile the data: no byte belongs to two of them or to none, so that nothing can hide in
 * the file. */
#include "checkpoint/container/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "base/json.h"
#include "checkpoint/container/entries.h"

enum {
    LENGTH_BYTES = 8,
    HEADER_BYTES_MAX = 100000000, /* the format's limit */
    VALUES_PER_TENSOR = 16,       /* of JSON; a tensor of eight dimensions has 14 */
    DEPTH = 4,                    /* the header, a tensor in it, its shape; and one more */
};

/* A tensor of the header, in the file's order. */
struct entry {
    struct vgg_span name; /* in the arena */
    struct vgg_tensor_view view;
    const struct vgg_element_type *type;
    uint64_t begin, end;
};

struct reader {
    struct vgg_archive *archive;
    struct vgg_load load; /* its path is "FILE: header" */
    uint64_t data_offset; /* of the data, in the file */
    struct entry *entries;
    size_t count;
};

bool vgg_safetensors_is(const struct vgg_archive *archive)
{
    return archive->head_bytes >= LENGTH_BYTES + 2 && archive->head[LENGTH_BYTES] == '{' &&
           memchr("\"} \t\r\n", archive->head[LENGTH_BYTES + 1], 6) != NULL;
}

/* ---- the header ---- */

static vgg_status fail_expected(const struct reader *reader, const char *name, const char *key,
                                const char *expected, const struct vgg_json *found)
{
    char shown[VGG_JSON_SHOWN_BYTES];
    vgg_json_show(found, shown);
    return vgg_fail(reader->load.err, VGG_ERR_FORMAT, "%s: %.200s%s%s: expected %s, found %s",
                    reader->load.path, name, key[0] != '\0' ? ": " : "", key, expected, shown);
}

static vgg_status read_dtype(const struct reader *reader, const char *name,
                             const struct vgg_json *value, struct entry *out)
{
    if (!vgg_json_is(value, VGG_JSON_TEXT)) {
        return fail_expected(reader, name, "dtype", "a text", value);
    }
    out->type = vgg_entry_find_type(vgg_json_text(value));
    if (out->type != NULL) {
        return VGG_OK;
    }
    return vgg_fail(reader->load.err, VGG_ERR_UNSUPPORTED, "%s: %.200s: unknown dtype \"%.40s\"",
                    reader->load.path, name, vgg_json_text(value));
}

static vgg_status read_shape(const struct reader *reader, const char *name,
                             const struct vgg_json *value, struct entry *out)
{
    if (!vgg_json_is(value, VGG_JSON_LIST)) {
        return fail_expected(reader, name, "shape", "a list", value);
    }
    for (const struct vgg_json *item = vgg_json_first(value); item != NULL;
         item = vgg_json_next(item)) {
        uint64_t size;
        if (out->view.ndim == VGG_MAX_DIMS) {
            return vgg_fail(reader->load.err, VGG_ERR_UNSUPPORTED,
                            "%s: %.200s: %zu dimensions, at most %d are supported",
                            reader->load.path, name, vgg_json_count(value), VGG_MAX_DIMS);
        }
        if (!vgg_json_size(item, &size)) {
            return fail_expected(reader, name, "shape", "whole numbers", item);
        }
        out->view.shape[out->view.ndim++] = (int64_t)size;
    }
    return VGG_OK;
}

static vgg_status read_offsets(const struct reader *reader, const char *name,
                               const struct vgg_json *value, struct entry *out)
{
    if (!vgg_json_is(value, VGG_JSON_LIST) || vgg_json_count(value) != 2) {
        return fail_expected(reader, name, "data_offsets", "a list of two", value);
    }
    const struct vgg_json *begin = vgg_json_first(value), *end = vgg_json_next(begin);
    if (!vgg_json_size(begin, &out->begin)) {
        return fail_expected(reader, name, "data_offsets", "whole numbers", begin);
    }
    if (!vgg_json_size(end, &out->end)) {
        return fail_expected(reader, name, "data_offsets", "whole numbers", end);
    }
    return VGG_OK;
}

/* The offsets must span exactly the bytes of the shape. */
static vgg_status check_size(const struct reader *reader, const char *name,
                             const struct entry *entry)
{
    uint64_t bytes = entry->type->bytes;
    bool fits = true, empty = false;
    for (int i = 0; i < entry->view.ndim; i++) {
        empty = empty || entry->view.shape[i] == 0;
    }
    for (int i = 0; i < entry->view.ndim && fits && !empty; i++) {
        fits = !__builtin_mul_overflow(bytes, (uint64_t)entry->view.shape[i], &bytes);
    }
    if (empty) {
        bytes = 0;
    }
    if (entry->end < entry->begin || !fits || entry->end - entry->begin != bytes) {
        return vgg_fail(reader->load.err, VGG_ERR_FORMAT,
                        "%s: %.200s: data_offsets %" PRIu64 " … %" PRIu64
                        " do not agree with its shape and dtype, expected %s%" PRIu64 " bytes",
                        reader->load.path, name, entry->begin, entry->end, fits ? "" : "more than ",
                        fits ? bytes : UINT64_MAX);
    }
    return VGG_OK;
}

static vgg_status read_entry(const struct reader *reader, const struct vgg_json *value,
                             struct entry *out)
{
    const char *name = vgg_json_key(value);
    if (!vgg_json_is(value, VGG_JSON_OBJECT)) {
        return fail_expected(reader, name, "", "an object", value);
    }
    for (const struct vgg_json *field = vgg_json_first(value); field != NULL;
         field = vgg_json_next(field)) {
        static const char *const known[] = {"dtype", "shape", "data_offsets"};
        const char *key = vgg_json_key(field);
        if (strcmp(key, known[0]) != 0 && strcmp(key, known[1]) != 0 &&
            strcmp(key, known[2]) != 0) {
            return vgg_fail(reader->load.err, VGG_ERR_FORMAT,
                            "%s: %.200s: %.200s: unknown key; expected dtype, shape, data_offsets",
                            reader->load.path, name, key);
        }
    }
    vgg_status status = read_dtype(reader, name, vgg_json_get(value, "dtype"), out);
    if (status == VGG_OK) {
        status = read_shape(reader, name, vgg_json_get(value, "shape"), out);
    }
    if (status == VGG_OK) {
        status = read_offsets(reader, name, vgg_json_get(value, "data_offsets"), out);
    }
    if (status == VGG_OK) {
        status = check_size(reader, name, out);
    }
    if (status != VGG_OK) {
        return status;
    }
    size_t length = strlen(name);
    out->name = (struct vgg_span){vgg_arena_copy_string(reader->load.arena, name, length),
                                  (uint32_t)length};
    return out->name.bytes != NULL
               ? VGG_OK
               : vgg_load_fail_memory(&reader->load, length, "the tensors' names");
}

/* Notes short printable metadata: safetensors, metadata format "pt". */
static void note_writer(struct vgg_archive *archive, const char *key, const char *value)
{
    enum { SHORT_BYTES = 40 };
    const struct vgg_span spans[] = {{key, (uint32_t)strlen(key)},
                                     {value, (uint32_t)strlen(value)}};
    const size_t used = strlen(archive->writer);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        if (spans[i].length == 0 || spans[i].length > SHORT_BYTES || !vgg_span_is_name(spans[i])) {
            return;
        }
    }
    const int length =
        snprintf(archive->writer + used, sizeof archive->writer - used, "%s %s \"%s\"",
                 used == 0 ? "safetensors, metadata" : ",", key, value);
    if ((size_t)length >= sizeof archive->writer - used) {
        archive->writer[used] = '\0'; /* leave out what does not fit */
    }
}

static vgg_status read_metadata(const struct reader *reader, const struct vgg_json *value)
{
    const char *name = vgg_json_key(value);
    if (!vgg_json_is(value, VGG_JSON_OBJECT)) {
        return fail_expected(reader, name, "", "an object", value);
    }
    for (const struct vgg_json *item = vgg_json_first(value); item != NULL;
         item = vgg_json_next(item)) {
        if (!vgg_json_is(item, VGG_JSON_TEXT)) {
            return fail_expected(reader, name, vgg_json_key(item), "a text", item);
        }
        note_writer(reader->archive, vgg_json_key(item), vgg_json_text(item));
    }
    return VGG_OK;
}

static vgg_status read_header(struct reader *reader, const struct vgg_json *root)
{
    if (!vgg_json_is(root, VGG_JSON_OBJECT)) {
        return vgg_fail(reader->load.err, VGG_ERR_FORMAT, "%s: expected an object",
                        reader->load.path);
    }
    const size_t max = vgg_json_count(root);
    if (max > reader->load.limits->tensors) {
        return vgg_fail(reader->load.err, VGG_ERR_LIMIT, "%s: %zu tensors, limit is %" PRIu32,
                        reader->load.path, max, reader->load.limits->tensors);
    }
    reader->entries = vgg_load_alloc(&reader->load, max, sizeof *reader->entries);
    if (reader->entries == NULL) {
        return vgg_load_fail_memory(&reader->load, max * sizeof *reader->entries, "the tensors");
    }
    for (const struct vgg_json *item = vgg_json_first(root); item != NULL;
         item = vgg_json_next(item)) {
        vgg_status status = strcmp(vgg_json_key(item), "__metadata__") == 0
                                ? read_metadata(reader, item)
                                : read_entry(reader, item, &reader->entries[reader->count++]);
        if (status != VGG_OK) {
            return status;
        }
    }
    return VGG_OK;
}

/* ---- the data ---- */

static int compare_places(const void *a, const void *b)
{
    const struct entry *const *left = a, *const *right = b;
    if ((*left)->begin != (*right)->begin) {
        return (*left)->begin < (*right)->begin ? -1 : 1;
    }
    return ((*left)->end > (*right)->end) - ((*left)->end < (*right)->end);
}

static vgg_status check_tiling(const struct reader *reader)
{
    const struct vgg_archive *archive = reader->archive;
    const struct entry **order = vgg_load_alloc(&archive->load, reader->count, sizeof *order);
    if (order == NULL) {
        return vgg_load_fail_memory(&archive->load, reader->count * sizeof *order, "the tensors");
    }
    for (size_t i = 0; i < reader->count; i++) {
        order[i] = &reader->entries[i];
    }
    qsort(order, reader->count, sizeof *order, compare_places);
    uint64_t end = 0;
    for (size_t i = 0; i < reader->count; i++) {
        if (order[i]->begin != end) {
            return vgg_fail(
                archive->load.err, VGG_ERR_FORMAT,
                "%s: %.*s: expected its data at %" PRIu64 ", found it at %" PRIu64 " (%s)",
                archive->load.path, VGG_SHOWN(order[i]->name.bytes, order[i]->name.length, 200),
                end, order[i]->begin,
                order[i]->begin < end ? "inside another tensor" : "after a hole");
        }
        end = order[i]->end;
    }
    uint64_t available = archive->file->size - reader->data_offset;
    if (end > available) {
        return vgg_archive_fail_truncated(archive, reader->data_offset + end, true);
    }
    if (end < available) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, reader->data_offset + end,
                           "%s: %" PRIu64
                           " bytes after the last tensor, expected the end of the file",
                           archive->load.path, available - end);
    }
    return VGG_OK;
}

/* Makes the dict {name: tensor, …}. */
static vgg_status make_dict(const struct reader *reader, struct vgg_pickle *pickle,
                            struct vgg_storages *storages)
{
    const struct vgg_archive *archive = reader->archive;
    struct vgg_tensor_entry *entries =
        vgg_load_alloc(&archive->load, reader->count, sizeof *entries);
    if (entries == NULL) {
        return vgg_load_fail_memory(&archive->load, reader->count * sizeof *entries, "the tensors");
    }
    for (size_t i = 0; i < reader->count; i++) {
        const struct entry *entry = &reader->entries[i];
        entries[i] = (struct vgg_tensor_entry){.name = entry->name,
                                               .view = entry->view,
                                               .type = entry->type,
                                               .offset = reader->data_offset + entry->begin,
                                               .bytes = entry->end - entry->begin};
    }
    return vgg_entries_make_dict(archive, entries, reader->count, pickle, storages);
}

/* Parses a copy of the header. */
static vgg_status parse_header(const struct reader *reader, struct vgg_json **root)
{
    const struct vgg_archive *archive = reader->archive;
    const struct vgg_allocator *allocator = vgg_load_allocator(&archive->load);
    const size_t length = (size_t)(reader->data_offset - LENGTH_BYTES);
    const struct vgg_json_bounds bounds =
        vgg_entries_bound_json(archive->load.limits, VALUES_PER_TENSOR, DEPTH);
    uint8_t *text = vgg_mem_alloc(allocator, length, 1);
    if (text == NULL) {
        return vgg_load_fail_memory(&archive->load, length, "the header");
    }
    vgg_status status = vgg_file_copy(archive->file, LENGTH_BYTES, length, text)
                            ? vgg_json_parse(&reader->load, text, length, &bounds, root)
                            : vgg_archive_fail_truncated(archive, reader->data_offset, false);
    vgg_mem_free(allocator, text);
    return status;
}

static vgg_status read_tensors(struct vgg_archive *archive, struct vgg_pickle *pickle,
                               struct vgg_storages *storages)
{
    const uint64_t *data_offset = archive->state;
    struct reader reader = {.archive = archive, .data_offset = *data_offset};
    struct vgg_json *root;
    vgg_status status = vgg_archive_name_part(archive, "header", &reader.load);
    status = status ? status : parse_header(&reader, &root);
    if (status != VGG_OK) {
        return status;
    }
    status = read_header(&reader, root);
    vgg_json_free(root);
    if (status == VGG_OK) {
        status = check_tiling(&reader);
    }
    return status == VGG_OK ? make_dict(&reader, pickle, storages) : status;
}

vgg_status vgg_safetensors_open(struct vgg_archive *archive)
{
    struct vgg_cursor in = vgg_cursor_make(archive->head, archive->head_bytes);
    const uint64_t length = vgg_cursor_le(&in, LENGTH_BYTES);
    if (length < 2 || length > HEADER_BYTES_MAX) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: safetensors header of %" PRIu64 " bytes, expected 2 to %d",
                        archive->load.path, length, HEADER_BYTES_MAX);
    }
    if (length > archive->file->size - LENGTH_BYTES) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: truncated: %zu bytes, and the safetensors header alone has %" PRIu64,
                        archive->load.path, archive->file->size, length);
    }
    if (length > archive->load.limits->header_bytes) {
        return vgg_fail(archive->load.err, VGG_ERR_LIMIT,
                        "%s: safetensors header of %" PRIu64 " bytes, limit is %" PRIu64,
                        archive->load.path, length, archive->load.limits->header_bytes);
    }
    uint64_t *data_offset = vgg_load_alloc(&archive->load, 1, sizeof *data_offset);
    if (data_offset == NULL) {
        return vgg_load_fail_memory(&archive->load, sizeof *data_offset, "the header");
    }
    *data_offset = LENGTH_BYTES + length;
    archive->state = data_offset;
    archive->kind = VGG_CONTAINER_SAFETENSORS;
    archive->read = read_tensors;
    return VGG_OK;
}
