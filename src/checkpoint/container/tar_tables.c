/* SPDX-License-Identifier: MIT */
/* The tables of storages and tensors in a tar checkpoint. */
#include "checkpoint/container/tar_tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/byteorder.h"
#include "checkpoint/container/tar_reader.h"

enum {
    COUNT_OPCODES = 4,   /* of the pickle of a count */
    RECORD_OPCODES = 20, /* of the pickle before a tensor or storage; real ones have 10 */
    VIEW_OPCODES = 16,   /* of one entry of the list of views */
};

static vgg_status fail_memory(const struct vgg_tar_reader *reader, size_t bytes)
{
    return vgg_load_fail_memory(&reader->archive->load, bytes, "the tensors");
}

/* A count of records, each of at least this many bytes. */
static vgg_status read_count(struct vgg_tar_reader *reader, size_t record_bytes, size_t *out)
{
    const struct vgg_value *count;
    vgg_status status =
        vgg_tar_read_pickle(reader, COUNT_OPCODES, VGG_VALUE_INT, "a count", &count);
    if (status != VGG_OK) {
        return status;
    }
    if (count->integer < 0 ||
        (uint64_t)count->integer > (reader->end - reader->offset) / record_bytes) {
        return vgg_tar_fail(reader, "a count that does not fit");
    }
    if (count->integer > reader->archive->load.limits->tensors) {
        return vgg_fail(reader->archive->load.err, VGG_ERR_LIMIT,
                        "%s: tar member %s: %" PRIi64 " entries, limit is %" PRIu32,
                        reader->archive->load.path, reader->name, count->integer,
                        reader->archive->load.limits->tensors);
    }
    *out = (size_t)count->integer;
    return VGG_OK;
}

static bool is_class(const struct vgg_value *value, enum vgg_global_role role)
{
    return value->kind == VGG_VALUE_GLOBAL && value->global.entry->role == role;
}

/* ---- storages ---- */

static int compare_parts(const void *a, const void *b)
{
    const struct vgg_tar_part *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

struct vgg_tar_part *vgg_tar_find_part(const struct vgg_tar_tables *tables, int64_t key)
{
    const struct vgg_tar_part wanted = {.key = key};
    return tables->part_count == 0 ? NULL
                                   : bsearch(&wanted, tables->parts, tables->part_count,
                                             sizeof *tables->parts, compare_parts);
}

static vgg_status read_storage(struct vgg_tar_reader *reader, struct vgg_storage *out, int64_t *key)
{
    const struct vgg_file *file = reader->archive->file;
    const struct vgg_value *record;
    vgg_status status = vgg_tar_read_pickle(reader, RECORD_OPCODES, VGG_VALUE_TUPLE,
                                            "(key, location, class)", &record);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_value *const *items = record->list.items;
    if (record->list.count != 3 || items[0]->kind != VGG_VALUE_INT ||
        items[1]->kind != VGG_VALUE_TEXT || !is_class(items[2], VGG_GLOBAL_STORAGE)) {
        return vgg_tar_fail(reader, "expected (key, location, class)");
    }
    const struct vgg_element_type *type = items[2]->global.entry->element;
    const size_t begin = reader->offset;
    uint64_t count = 0, bytes;
    const bool is_there = vgg_tar_read_numbers(reader, 1, &count);
    if (!is_there || __builtin_mul_overflow(count, type->bytes, &bytes) ||
        bytes > reader->end - reader->offset) {
        return vgg_fail_at(reader->archive->load.err, VGG_ERR_FORMAT, begin,
                           "%s: tar member %s: storage of %" PRIu64
                           " x %s, expected at most the %zu bytes that are left",
                           reader->archive->load.path, reader->name, count, type->name,
                           reader->end - begin);
    }
    char *digits = vgg_load_alloc(&reader->archive->load, VGG_TAR_KEY_DIGITS + 1, 1);
    if (digits == NULL) {
        return fail_memory(reader, VGG_TAR_KEY_DIGITS + 1);
    }
    int length = snprintf(digits, VGG_TAR_KEY_DIGITS + 1, "%" PRIi64, items[0]->integer);
    *key = items[0]->integer;
    *out = (struct vgg_storage){.key = {digits, (uint32_t)length},
                                .type = type,
                                .count = count,
                                .bytes = bytes,
                                .data = file->data + reader->offset,
                                .file_offset = reader->offset,
                                .swapped = !vgg_host_is_little()};
    reader->offset += (size_t)bytes;
    return VGG_OK;
}

/* Sorts the parts; the same key twice is an error. */
static vgg_status sort_parts(const struct vgg_tar_reader *reader, struct vgg_tar_tables *tables)
{
    qsort(tables->parts, tables->part_count, sizeof *tables->parts, compare_parts);
    for (size_t i = 1; i < tables->part_count; i++) {
        if (tables->parts[i - 1].key == tables->parts[i].key) {
            return vgg_fail(reader->archive->load.err, VGG_ERR_FORMAT,
                            "%s: tar member %s: storage %" PRIi64 " is given twice",
                            reader->archive->load.path, reader->name, tables->parts[i].key);
        }
    }
    return VGG_OK;
}

static vgg_status read_part(const struct vgg_tar_reader *reader,
                            const struct vgg_tar_tables *tables, const struct vgg_value *view,
                            struct vgg_tar_part *out)
{
    struct vgg_value *const *items = view->list.items;
    bool good = view->kind == VGG_VALUE_TUPLE && view->list.count == 4;
    for (size_t i = 0; good && i < 4; i++) {
        good = items[i]->kind == VGG_VALUE_INT && (i < 2 || items[i]->integer >= 0);
    }
    const struct vgg_tar_part *root = good ? vgg_tar_find_part(tables, items[1]->integer) : NULL;
    if (root == NULL) {
        return vgg_tar_fail(reader,
                            "expected views (key, root, offset, count) of the storages above");
    }
    uint64_t offset = (uint64_t)items[2]->integer, count = (uint64_t)items[3]->integer;
    if (offset > root->count || count > root->count - offset) {
        return vgg_tar_fail(reader, "a view exceeds its storage");
    }
    *out = (struct vgg_tar_part){items[0]->integer, root->storage, offset, count};
    return VGG_OK;
}

static vgg_status read_storages(const struct vgg_archive *archive,
                                const struct vgg_tar_member members[VGG_TAR_MEMBERS],
                                struct vgg_tar_tables *tables)
{
    struct vgg_tar_reader reader = vgg_tar_reader_make(archive, members, VGG_TAR_STORAGES);
    const struct vgg_value *views;
    size_t count;
    vgg_status status = read_count(&reader, sizeof(int64_t), &count);
    if (status != VGG_OK) {
        return status;
    }
    tables->storages = vgg_load_alloc(&archive->load, count, sizeof *tables->storages);
    tables->parts = vgg_load_alloc(&archive->load, count, sizeof *tables->parts);
    if (tables->storages == NULL || tables->parts == NULL) {
        return fail_memory(&reader, count * sizeof *tables->storages);
    }
    for (; tables->storage_count < count; tables->storage_count++) {
        struct vgg_storage *storage = &tables->storages[tables->storage_count];
        struct vgg_tar_part *part = &tables->parts[tables->storage_count];
        status = read_storage(&reader, storage, &part->key);
        if (status != VGG_OK) {
            return status;
        }
        part->storage = storage;
        part->count = storage->count;
    }
    tables->part_count = count;
    status = sort_parts(&reader, tables);
    if (status == VGG_OK) {
        status =
            vgg_tar_read_pickle(&reader, 8 + (uint64_t)archive->load.limits->tensors * VIEW_OPCODES,
                                VGG_VALUE_LIST, "a list of views", &views);
    }
    if (status == VGG_OK) {
        status = vgg_tar_check_end(&reader);
    }
    if (status != VGG_OK || views->list.count == 0) {
        return status;
    }
    size_t total = count + views->list.count;
    struct vgg_tar_part *parts = vgg_load_alloc(&archive->load, total, sizeof *parts);
    if (parts == NULL) {
        return fail_memory(&reader, total * sizeof *parts);
    }
    memcpy(parts, tables->parts, count * sizeof *parts);
    for (size_t i = 0; i < views->list.count; i++) {
        status = read_part(&reader, tables, views->list.items[i], &parts[count + i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    tables->parts = parts;
    tables->part_count = total;
    return sort_parts(&reader, tables);
}

/* ---- tensors ---- */

static int compare_tensors(const void *a, const void *b)
{
    const struct vgg_tar_tensor *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static vgg_status read_geometry(struct vgg_tar_reader *reader, struct vgg_tensor_view *view)
{
    const size_t begin = reader->offset;
    uint64_t ndim = 0, numbers[2 * VGG_MAX_DIMS + 1];
    const bool is_there = vgg_tar_read_numbers(reader, 1, &ndim);
    if (ndim > VGG_MAX_DIMS) {
        return vgg_fail_at(reader->archive->load.err, VGG_ERR_UNSUPPORTED, begin,
                           "%s: a tensor of %" PRIu64 " dimensions, at most %d are supported",
                           reader->archive->load.path, ndim, VGG_MAX_DIMS);
    }
    if (!is_there || !vgg_tar_read_numbers(reader, 2 * ndim + 1, numbers)) {
        return vgg_tar_fail(reader, "ends inside a tensor");
    }
    view->ndim = (int)ndim;
    for (size_t i = 0; i < ndim; i++) {
        view->shape[i] = (int64_t)numbers[i];
        view->stride[i] = (int64_t)numbers[ndim + i];
    }
    view->offset = (int64_t)numbers[2 * ndim];
    return VGG_OK;
}

static vgg_status read_tensor(struct vgg_tar_reader *reader, const struct vgg_tar_tables *tables,
                              struct vgg_tar_tensor *out)
{
    const struct vgg_value *record;
    vgg_status status = vgg_tar_read_pickle(reader, RECORD_OPCODES, VGG_VALUE_TUPLE,
                                            "(key, storage, class)", &record);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_value *const *items = record->list.items;
    if (record->list.count != 3 || items[0]->kind != VGG_VALUE_INT ||
        !is_class(items[2], VGG_GLOBAL_TENSOR)) {
        return vgg_tar_fail(reader, "expected (key, storage, class)");
    }
    const struct vgg_tar_part *part = NULL;
    if (items[1]->kind == VGG_VALUE_INT) {
        part = vgg_tar_find_part(tables, items[1]->integer);
    }
    if (part == NULL && items[1]->kind != VGG_VALUE_NONE) { /* None: a tensor without elements */
        return vgg_tar_fail(reader, "a tensor in a storage that is not in the archive");
    }
    const struct vgg_element_type *type = items[2]->global.entry->element;
    if (part != NULL && part->storage->type != type) {
        return vgg_fail_at(reader->archive->load.err, VGG_ERR_FORMAT, reader->offset,
                           "%s: bad tensor: a %sTensor in a %sStorage", reader->archive->load.path,
                           type->name, part->storage->type->name);
    }
    out->key = items[0]->integer;
    if (part != NULL) {
        out->view.storage = part->storage;
        out->view.part_offset = part->offset;
        out->view.part_count = part->count;
    }
    return read_geometry(reader, &out->view);
}

static vgg_status read_tensors(const struct vgg_archive *archive,
                               const struct vgg_tar_member members[VGG_TAR_MEMBERS],
                               struct vgg_tar_tables *tables)
{
    struct vgg_tar_reader reader = vgg_tar_reader_make(archive, members, VGG_TAR_TENSORS);
    size_t count;
    vgg_status status = read_count(&reader, 2 * sizeof(int64_t), &count);
    if (status != VGG_OK) {
        return status;
    }
    tables->tensors = vgg_load_alloc(&archive->load, count, sizeof *tables->tensors);
    if (tables->tensors == NULL) {
        return fail_memory(&reader, count * sizeof *tables->tensors);
    }
    for (; tables->tensor_count < count; tables->tensor_count++) {
        status = read_tensor(&reader, tables, &tables->tensors[tables->tensor_count]);
        if (status != VGG_OK) {
            return status;
        }
    }
    status = vgg_tar_check_end(&reader);
    if (status != VGG_OK) {
        return status;
    }
    qsort(tables->tensors, count, sizeof *tables->tensors, compare_tensors);
    for (size_t i = 1; i < count; i++) {
        if (tables->tensors[i - 1].key == tables->tensors[i].key) {
            return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                            "%s: tar member tensors: tensor %" PRIi64 " is given twice",
                            archive->load.path, tables->tensors[i].key);
        }
    }
    return VGG_OK;
}

struct vgg_tar_tensor *vgg_tar_find_tensor(const struct vgg_tar_tables *tables, int64_t key)
{
    const struct vgg_tar_tensor wanted = {.key = key};
    return tables->tensor_count == 0 ? NULL
                                     : bsearch(&wanted, tables->tensors, tables->tensor_count,
                                               sizeof *tables->tensors, compare_tensors);
}

vgg_status vgg_tar_tables_read(const struct vgg_archive *archive,
                               const struct vgg_tar_member members[VGG_TAR_MEMBERS],
                               struct vgg_tar_tables *out)
{
    vgg_status status = read_storages(archive, members, out);
    return status == VGG_OK ? read_tensors(archive, members, out) : status;
}
