/* SPDX-License-Identifier: MIT */
/* Reading the directory of a packed file, which packed_format.h describes. */
#include "checkpoint/container/packed_directory.h"

#include <inttypes.h>

#include "base/json.h"

enum {
    /* JSON values: a tensor of eight dimensions has 15, prepacked weights three more. */
    VALUES_PER_TENSOR = 20,
    DEPTH = 5, /* the object, the list, a tensor, its shape; and one more */
};

struct reader {
    struct vgg_load load; /* its path is "FILE: directory" */
    const struct vgg_packed_header *header;
    struct vgg_packed_entry *entries;
    size_t count;
};

static vgg_status fail_expected(const struct reader *reader, const char *name, const char *key,
                                const char *expected, const struct vgg_json *found)
{
    char shown[VGG_JSON_SHOWN_BYTES];
    vgg_json_show(found, shown);
    return vgg_fail(reader->load.err, VGG_ERR_FORMAT, "%s: %.200s: %s: expected %s, found %s",
                    reader->load.path, name, key, expected, found != NULL ? shown : "nothing");
}

static vgg_status read_shape(const struct reader *reader, const char *name,
                             const struct vgg_json *value, struct vgg_packed_entry *out)
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

static vgg_status read_count(const struct reader *reader, const char *name,
                             const struct vgg_json *entry, const char *key, int *out)
{
    uint64_t value;
    const struct vgg_json *found = vgg_json_get(entry, key);
    if (!vgg_json_size(found, &value) || value == 0 || value > INT32_MAX) {
        return fail_expected(reader, name, key, "a positive whole number", found);
    }
    *out = (int)value;
    return VGG_OK;
}

/* The layout of the elements, or the order of prepacked weights with its parameters. */
static vgg_status read_layout(const struct reader *reader, const char *name,
                              const struct vgg_json *entry, struct vgg_packed_entry *out)
{
    const struct vgg_json *text = vgg_json_get(entry, "layout");
    if (vgg_json_is(text, VGG_JSON_TEXT)) {
        out->layout = vgg_layout_find(vgg_json_text(text));
        if (out->layout == NULL && vgg_order_parse(vgg_json_text(text), &out->order.order)) {
            vgg_status status = read_count(reader, name, entry, "group", &out->order.group);
            if (status == VGG_OK) {
                status = read_count(reader, name, entry, "channels", &out->order.channels);
            }
            if (status == VGG_OK && out->order.order == VGG_ORDER_WINOGRAD) {
                status = read_count(reader, name, entry, "m", &out->order.m);
            }
            return status;
        }
    }
    return out->layout != NULL
               ? VGG_OK
               : fail_expected(reader, name, "layout", "a layout such as \"rows\"", text);
}

/* Element type, layout and shape, from which the size follows. */
static vgg_status read_type(const struct reader *reader, const char *name,
                            const struct vgg_json *entry, struct vgg_packed_entry *out)
{
    const struct vgg_json *dtype = vgg_json_get(entry, "dtype");
    uint64_t elements;
    if (vgg_json_is(dtype, VGG_JSON_TEXT)) {
        out->type = vgg_entry_find_type(vgg_json_text(dtype));
    }
    if (out->type == NULL || !out->type->supported) {
        return fail_expected(reader, name, "dtype", "a type such as \"F32\"", dtype);
    }
    vgg_status status = read_layout(reader, name, entry, out);
    if (status == VGG_OK) {
        status = read_shape(reader, name, vgg_json_get(entry, "shape"), out);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (out->layout == NULL && out->type->dtype != VGG_DTYPE_F32) {
        return fail_expected(reader, name, "dtype", "\"F32\", as for all prepacked weights", dtype);
    }
    const int64_t *shape = out->view.shape;
    const bool fits = out->layout != NULL
                          ? out->layout->measure(shape, out->view.ndim, &elements)
                          : vgg_prepacked_measure(&out->order, shape, out->view.ndim, &elements);
    if (!fits || __builtin_mul_overflow(elements, out->type->bytes, &out->bytes)) {
        return vgg_fail(reader->load.err, VGG_ERR_FORMAT,
                        "%s: %.200s: shape: not possible for a tensor of %s in layout %s",
                        reader->load.path, name, out->type->name,
                        out->layout != NULL ? out->layout->name
                                            : vgg_order_string(out->order.order));
    }
    return VGG_OK;
}

/* Prepacked weights follow the tensor that they were made from, if the file has it, and have its shape. */
static vgg_status check_prepacked(const struct reader *reader, struct vgg_packed_entry *entry)
{
    const struct vgg_packed_entry *before = entry - 1;
    if (entry == reader->entries || entry->layout != NULL ||
        strcmp(entry->name.bytes, before->name.bytes) != 0) {
        return VGG_OK;
    }
    entry->follows = true;
    if (entry->view.ndim != before->view.ndim ||
        memcmp(entry->view.shape, before->view.shape, sizeof entry->view.shape) != 0) {
        return vgg_fail(reader->load.err, VGG_ERR_FORMAT,
                        "%s: %.200s: expected one shape in all entries of this name, found two",
                        reader->load.path, entry->name.bytes);
    }
    return VGG_OK;
}

/* Each tensor begins at the first page after the one before. */
static vgg_status check_place(const struct reader *reader, const char *name, uint64_t expected,
                              const struct vgg_packed_entry *entry)
{
    const uint64_t end = reader->header->description_offset;
    if (entry->offset != expected || entry->offset > end || entry->bytes > end - entry->offset) {
        return vgg_fail(reader->load.err, VGG_ERR_FORMAT,
                        "%s: %.200s: expected its bytes at %" PRIu64 " and before %" PRIu64
                        ", found %" PRIu64 " at %" PRIu64,
                        reader->load.path, name, expected, end, entry->bytes, entry->offset);
    }
    return VGG_OK;
}

/* Refuses unknown keys, so that nothing in the file is skipped. */
static vgg_status check_keys(const struct reader *reader, const char *name,
                             const struct vgg_json *value, const struct vgg_packed_entry *entry)
{
    static const char *const known[] = {"name",  "dtype", "layout",   "shape", "offset",
                                        "crc32", "group", "channels", "m"};
    enum { ALL = 6, DIRECT = 8, WINOGRAD = 9 }; /* the number of known keys of each kind */
    const size_t count = entry->layout != NULL                    ? ALL
                         : entry->order.order == VGG_ORDER_DIRECT ? DIRECT
                                                                  : WINOGRAD;
    for (const struct vgg_json *field = vgg_json_first(value); field != NULL;
         field = vgg_json_next(field)) {
        bool found = false;
        for (size_t i = 0; i < count; i++) {
            found = found || strcmp(vgg_json_key(field), known[i]) == 0;
        }
        if (!found) {
            return vgg_fail(reader->load.err, VGG_ERR_FORMAT, "%s: %.200s: %.200s: unknown key",
                            reader->load.path, name, vgg_json_key(field));
        }
    }
    return VGG_OK;
}

static vgg_status read_entry(const struct reader *reader, const struct vgg_json *value,
                             uint64_t expected, struct vgg_packed_entry *out)
{
    uint64_t crc;
    const struct vgg_json *text = vgg_json_get(value, "name");
    if (!vgg_json_is(text, VGG_JSON_TEXT)) {
        return fail_expected(reader, "a tensor", "name", "a text", text);
    }
    const char *name = vgg_json_text(text);
    vgg_status status = read_type(reader, name, value, out);
    if (status == VGG_OK) {
        status = check_keys(reader, name, value, out);
    }
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
    out->name = (struct vgg_span){vgg_arena_copy_string(reader->load.arena, name, length),
                                  (uint32_t)length};
    if (out->name.bytes == NULL) {
        return vgg_load_fail_memory(&reader->load, length, "the tensors' names");
    }
    status = check_prepacked(reader, out);
    return status == VGG_OK ? check_place(reader, name, expected, out) : status;
}

static vgg_status read_entries(struct reader *reader, const struct vgg_json *root)
{
    const struct vgg_load *load = &reader->load;
    const struct vgg_json *list = vgg_json_get(root, "tensors");
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_count(root) != 1) {
        return vgg_fail(load->err, VGG_ERR_FORMAT, "%s: expected one key, \"tensors\", with a list",
                        load->path);
    }
    const size_t count = vgg_json_count(list);
    if (count > load->limits->tensors) {
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: %zu tensors, limit is %" PRIu32, load->path,
                        count, load->limits->tensors);
    }
    reader->entries = vgg_load_alloc(load, count, sizeof *reader->entries);
    if (reader->entries == NULL) {
        return vgg_load_fail_memory(load, count * sizeof *reader->entries, "the tensors");
    }
    uint64_t end = VGG_PACKED_PAGE_BYTES;
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item)) {
        struct vgg_packed_entry *entry = &reader->entries[reader->count];
        vgg_status status = read_entry(reader, item, end, entry);
        if (status != VGG_OK) {
            return status;
        }
        end = vgg_packed_next_page(entry->offset + entry->bytes);
        reader->count++;
    }
    if (end != reader->header->description_offset) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: expected the description after the tensors, at %" PRIu64
                        ", found it at %" PRIu64,
                        load->path, end, reader->header->description_offset);
    }
    return VGG_OK;
}

vgg_status vgg_packed_directory_read(const struct vgg_archive *archive,
                                     const struct vgg_packed_header *header, const uint8_t *text,
                                     struct vgg_packed_directory *out)
{
    struct reader reader = {.header = header};
    const struct vgg_json_bounds bounds =
        vgg_entries_bound_json(archive->load.limits, VALUES_PER_TENSOR, DEPTH);
    struct vgg_json *root;
    vgg_status status = vgg_archive_name_part(archive, "directory", &reader.load);
    if (status == VGG_OK) {
        status =
            vgg_json_parse(&reader.load, text, (size_t)header->directory_bytes, &bounds, &root);
    }
    if (status == VGG_OK) {
        status = read_entries(&reader, root);
        vgg_json_free(root);
    }
    *out = (struct vgg_packed_directory){reader.entries, reader.count};
    return status;
}
