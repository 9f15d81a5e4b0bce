/* The tar container, torch.save before 0.1.10: four members of pickles, with binary data between them.
 *   sys_info  pickle of a dict about the writing system
 *   storages  pickle of a count, then for each: pickle of (key, location, class), its number of elements
 *             (8 bytes), the elements; and a pickle of [(key, root's key, offset, count), …], the
 *             storages that are parts of others
 *   tensors   pickle of a count, then for each: pickle of (key, storage's key, class), its number of
 *             dimensions (8 bytes), sizes, strides and offset in the storage (8 bytes each)
 *   pickle    the object; its persistent ids are keys of tensors (or storages), as texts
 * Keys are integers. All data is little-endian here: the one other kind of writer is refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "checkpoint/container/tar_members.h"
#include "checkpoint/container/tensor_value.h"

enum {
    PROTOCOL = 1000,
    COUNT_OPCODES = 4,    /* of the pickle of a count */
    RECORD_OPCODES = 20,  /* of the pickle before a tensor or storage; real ones have 10 */
    VIEW_OPCODES = 16,    /* of one entry of the list of views */
    HEADER_OPCODES = 200, /* of sys_info */
    KEY_DIGITS = 20,
};

/* A storage, or a part of one that has a key of its own. */
struct part {
    int64_t key;
    struct vgg_storage *storage;
    uint64_t offset, count; /* in elements */
};

struct tensor {
    int64_t key;
    struct vgg_tensor_view view;
    struct vgg_value *value; /* made when it is first asked for */
};

struct tar_state {
    struct vgg_tar_member members[VGG_TAR_MEMBERS];
    struct vgg_storage *storages; /* in the file's order, while keys are read */
    size_t storage_count;
    struct part *parts; /* sorted by key */
    size_t part_count;
    struct tensor *tensors; /* sorted by key */
    size_t tensor_count;
};

/* Reads one member from its beginning to its end. */
struct reader {
    const struct vgg_archive *archive;
    const char *name; /* of the member, for messages */
    size_t offset, end;
    struct vgg_error *err;
};

static struct reader reader_make(const struct vgg_archive *archive, enum vgg_tar_name name,
                                 struct vgg_error *err)
{
    static const char *const texts[] = {"sys_info", "pickle", "tensors", "storages"};
    const struct tar_state *state = archive->state;
    const struct vgg_tar_member *member = &state->members[name];
    return (struct reader){archive, texts[name], member->offset, member->end, err};
}

static vgg_status fail(const struct reader *reader, const char *what)
{
    return vgg_fail_at(reader->err, VGG_ERR_FORMAT, reader->offset, "%s: tar member %s: %s",
                       reader->archive->path, reader->name, what);
}

static vgg_status fail_memory(const struct reader *reader, size_t bytes)
{
    return vgg_fail_memory(reader->err, reader->archive->path, bytes, "the tensors");
}

static vgg_status read_pickle(struct reader *reader, uint64_t opcodes, enum vgg_value_kind kind,
                              const char *expected, const struct vgg_value **out)
{
    size_t offset = reader->offset;
    vgg_status status = vgg_archive_read_plain(reader->archive, opcodes, &reader->offset,
                                               reader->end, out, reader->err);
    if (status == VGG_OK && (*out)->kind != kind) {
        return vgg_fail_at(reader->err, VGG_ERR_FORMAT, offset,
                           "%s: tar member %s: expected %s, found %s", reader->archive->path,
                           reader->name, expected, vgg_value_kind_string((*out)->kind));
    }
    return status;
}

/* A count of records, each of at least this many bytes. */
static vgg_status read_count(struct reader *reader, size_t record_bytes, size_t *out)
{
    const struct vgg_value *count;
    vgg_status status = read_pickle(reader, COUNT_OPCODES, VGG_VALUE_INT, "a count", &count);
    if (status != VGG_OK) {
        return status;
    }
    if (count->integer < 0 ||
        (uint64_t)count->integer > (reader->end - reader->offset) / record_bytes) {
        return fail(reader, "a count that does not fit");
    }
    if (count->integer > reader->archive->limits->tensors) {
        return vgg_fail(
            reader->err, VGG_ERR_LIMIT, "%s: tar member %s: %" PRIi64 " entries, limit is %" PRIu32,
            reader->archive->path, reader->name, count->integer, reader->archive->limits->tensors);
    }
    *out = (size_t)count->integer;
    return VGG_OK;
}

static bool is_class(const struct vgg_value *value, enum vgg_global_role role)
{
    return value->kind == VGG_VALUE_GLOBAL && value->global.entry->role == role;
}

static vgg_status check_end(const struct reader *reader)
{
    return reader->offset == reader->end ? VGG_OK : fail(reader, "bytes after its last entry");
}

/* ---- sys_info ---- */

static vgg_status read_sys_info(const struct vgg_archive *archive, struct vgg_error *err)
{
    struct reader reader = reader_make(archive, VGG_TAR_SYS_INFO, err);
    const struct vgg_value *info;
    bool known = false;
    vgg_status status = read_pickle(&reader, HEADER_OPCODES, VGG_VALUE_DICT, "a dict", &info);
    if (status != VGG_OK) {
        return status;
    }
    for (size_t i = 0; i < info->list.count; i += 2) {
        const struct vgg_value *key = info->list.items[i], *value = info->list.items[i + 1];
        if (key->kind != VGG_VALUE_TEXT) {
            continue;
        }
        if (vgg_span_equals(key->text, "little_endian") && value->kind == VGG_VALUE_BOOL &&
            !value->boolean) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: a tar checkpoint of a big-endian machine, which is not supported",
                            archive->path);
        }
        known = known || (vgg_span_equals(key->text, "protocol_version") &&
                          value->kind == VGG_VALUE_INT && value->integer == PROTOCOL);
    }
    if (!known) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                        "%s: expected a tar checkpoint of protocol %d, found another one",
                        archive->path, PROTOCOL);
    }
    return check_end(&reader);
}

/* ---- storages ---- */

static int compare_parts(const void *a, const void *b)
{
    const struct part *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static struct part *find_part(const struct tar_state *state, int64_t key)
{
    const struct part wanted = {.key = key};
    return state->part_count == 0 ? NULL
                                  : bsearch(&wanted, state->parts, state->part_count,
                                            sizeof *state->parts, compare_parts);
}

static vgg_status read_storage(struct reader *reader, struct vgg_storage *out, int64_t *key)
{
    const struct vgg_file *file = reader->archive->file;
    const struct vgg_value *record;
    vgg_status status =
        read_pickle(reader, RECORD_OPCODES, VGG_VALUE_TUPLE, "(key, location, class)", &record);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_value *const *items = record->list.items;
    if (record->list.count != 3 || items[0]->kind != VGG_VALUE_INT ||
        items[1]->kind != VGG_VALUE_TEXT || !is_class(items[2], VGG_GLOBAL_STORAGE)) {
        return fail(reader, "expected (key, location, class)");
    }
    struct vgg_cursor in = vgg_cursor_make(file->data, reader->end);
    in.offset = reader->offset;
    uint64_t count = vgg_cursor_le(&in, sizeof(int64_t)), bytes;
    const struct vgg_element_type *type = items[2]->global.entry->element;
    uint64_t data_offset = in.offset;
    if (__builtin_mul_overflow(count, type->bytes, &bytes) || vgg_cursor_take(&in, bytes) == NULL) {
        return vgg_fail_at(reader->err, VGG_ERR_FORMAT, reader->offset,
                           "%s: tar member %s: storage of %" PRIu64
                           " x %s, expected at most the %zu bytes that are left",
                           reader->archive->path, reader->name, count, type->name,
                           reader->end - reader->offset);
    }
    char *digits = vgg_arena_alloc(reader->archive->arena, KEY_DIGITS + 1, 1);
    if (digits == NULL) {
        return fail_memory(reader, KEY_DIGITS + 1);
    }
    int length = snprintf(digits, KEY_DIGITS + 1, "%" PRIi64, items[0]->integer);
    *key = items[0]->integer;
    *out = (struct vgg_storage){.key = {digits, (uint32_t)length},
                                .type = type,
                                .count = count,
                                .bytes = bytes,
                                .data = file->data + data_offset,
                                .file_offset = data_offset,
                                .swapped = !vgg_host_is_little()};
    reader->offset = in.offset;
    return VGG_OK;
}

/* Sorts the parts; a key that is there twice is an error. */
static vgg_status sort_parts(const struct reader *reader, struct tar_state *state)
{
    qsort(state->parts, state->part_count, sizeof *state->parts, compare_parts);
    for (size_t i = 1; i < state->part_count; i++) {
        if (state->parts[i - 1].key == state->parts[i].key) {
            return vgg_fail(reader->err, VGG_ERR_FORMAT,
                            "%s: tar member %s: storage %" PRIi64 " is there twice",
                            reader->archive->path, reader->name, state->parts[i].key);
        }
    }
    return VGG_OK;
}

static vgg_status read_part(const struct reader *reader, const struct tar_state *state,
                            const struct vgg_value *view, struct part *out)
{
    struct vgg_value *const *items = view->list.items;
    bool good = view->kind == VGG_VALUE_TUPLE && view->list.count == 4;
    for (size_t i = 0; good && i < 4; i++) {
        good = items[i]->kind == VGG_VALUE_INT && (i < 2 || items[i]->integer >= 0);
    }
    const struct part *root = good ? find_part(state, items[1]->integer) : NULL;
    if (root == NULL) {
        return fail(reader, "expected views (key, root, offset, count) of the storages above");
    }
    uint64_t offset = (uint64_t)items[2]->integer, count = (uint64_t)items[3]->integer;
    if (offset > root->count || count > root->count - offset) {
        return fail(reader, "a view exceeds its storage");
    }
    *out = (struct part){items[0]->integer, root->storage, offset, count};
    return VGG_OK;
}

static vgg_status read_storages(const struct vgg_archive *archive, struct tar_state *state,
                                struct vgg_error *err)
{
    struct reader reader = reader_make(archive, VGG_TAR_STORAGES, err);
    const struct vgg_value *views;
    size_t count;
    vgg_status status = read_count(&reader, sizeof(int64_t), &count);
    if (status != VGG_OK) {
        return status;
    }
    state->storages = vgg_arena_alloc(archive->arena, count, sizeof *state->storages);
    state->parts = vgg_arena_alloc(archive->arena, count, sizeof *state->parts);
    if (state->storages == NULL || state->parts == NULL) {
        return fail_memory(&reader, count * sizeof *state->storages);
    }
    for (; state->storage_count < count; state->storage_count++) {
        struct vgg_storage *storage = &state->storages[state->storage_count];
        struct part *part = &state->parts[state->storage_count];
        status = read_storage(&reader, storage, &part->key);
        if (status != VGG_OK) {
            return status;
        }
        part->storage = storage;
        part->count = storage->count;
    }
    state->part_count = count;
    status = sort_parts(&reader, state);
    if (status == VGG_OK) {
        status = read_pickle(&reader, 8 + (uint64_t)archive->limits->tensors * VIEW_OPCODES,
                             VGG_VALUE_LIST, "a list of views", &views);
    }
    if (status == VGG_OK) {
        status = check_end(&reader);
    }
    if (status != VGG_OK || views->list.count == 0) {
        return status;
    }
    size_t total = count + views->list.count;
    struct part *parts = vgg_arena_alloc(archive->arena, total, sizeof *parts);
    if (parts == NULL) {
        return fail_memory(&reader, total * sizeof *parts);
    }
    memcpy(parts, state->parts, count * sizeof *parts);
    for (size_t i = 0; i < views->list.count; i++) {
        status = read_part(&reader, state, views->list.items[i], &parts[count + i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    state->parts = parts;
    state->part_count = total;
    return sort_parts(&reader, state);
}

/* ---- tensors ---- */

static int compare_tensors(const void *a, const void *b)
{
    const struct tensor *left = a, *right = b;
    return (left->key > right->key) - (left->key < right->key);
}

static vgg_status read_geometry(struct reader *reader, struct vgg_tensor_view *view)
{
    struct vgg_cursor in = vgg_cursor_make(reader->archive->file->data, reader->end);
    in.offset = reader->offset;
    uint64_t ndim = vgg_cursor_le(&in, sizeof(int64_t));
    if (ndim > VGG_MAX_DIMS) {
        return vgg_fail_at(reader->err, VGG_ERR_UNSUPPORTED, reader->offset,
                           "%s: a tensor of %" PRIu64 " dimensions, at most %d are supported",
                           reader->archive->path, ndim, VGG_MAX_DIMS);
    }
    view->ndim = (int)ndim;
    for (int i = 0; i < view->ndim; i++) {
        view->shape[i] = (int64_t)vgg_cursor_le(&in, sizeof(int64_t));
    }
    for (int i = 0; i < view->ndim; i++) {
        view->stride[i] = (int64_t)vgg_cursor_le(&in, sizeof(int64_t));
    }
    view->offset = (int64_t)vgg_cursor_le(&in, sizeof(int64_t));
    if (!in.ok) {
        return fail(reader, "ends inside a tensor");
    }
    reader->offset = in.offset;
    return VGG_OK;
}

static vgg_status read_tensor(struct reader *reader, const struct tar_state *state,
                              struct tensor *out)
{
    const struct vgg_value *record;
    vgg_status status =
        read_pickle(reader, RECORD_OPCODES, VGG_VALUE_TUPLE, "(key, storage, class)", &record);
    if (status != VGG_OK) {
        return status;
    }
    struct vgg_value *const *items = record->list.items;
    if (record->list.count != 3 || items[0]->kind != VGG_VALUE_INT ||
        !is_class(items[2], VGG_GLOBAL_TENSOR)) {
        return fail(reader, "expected (key, storage, class)");
    }
    const struct part *part = NULL;
    if (items[1]->kind == VGG_VALUE_INT) {
        part = find_part(state, items[1]->integer);
    }
    if (part == NULL && items[1]->kind != VGG_VALUE_NONE) { /* None: a tensor without elements */
        return fail(reader, "a tensor in a storage that is not in the archive");
    }
    const struct vgg_element_type *type = items[2]->global.entry->element;
    if (part != NULL && part->storage->type != type) {
        return vgg_fail_at(reader->err, VGG_ERR_FORMAT, reader->offset,
                           "%s: bad tensor: a %sTensor in a %sStorage", reader->archive->path,
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

static vgg_status read_tensors(const struct vgg_archive *archive, struct tar_state *state,
                               struct vgg_error *err)
{
    struct reader reader = reader_make(archive, VGG_TAR_TENSORS, err);
    size_t count;
    vgg_status status = read_count(&reader, 2 * sizeof(int64_t), &count);
    if (status != VGG_OK) {
        return status;
    }
    state->tensors = vgg_arena_alloc(archive->arena, count, sizeof *state->tensors);
    if (state->tensors == NULL) {
        return fail_memory(&reader, count * sizeof *state->tensors);
    }
    for (; state->tensor_count < count; state->tensor_count++) {
        status = read_tensor(&reader, state, &state->tensors[state->tensor_count]);
        if (status != VGG_OK) {
            return status;
        }
    }
    status = check_end(&reader);
    if (status != VGG_OK) {
        return status;
    }
    qsort(state->tensors, count, sizeof *state->tensors, compare_tensors);
    for (size_t i = 1; i < count; i++) {
        if (state->tensors[i - 1].key == state->tensors[i].key) {
            return vgg_fail(err, VGG_ERR_FORMAT,
                            "%s: tar member tensors: tensor %" PRIi64 " is there twice",
                            archive->path, state->tensors[i].key);
        }
    }
    return VGG_OK;
}

/* ---- the object ---- */

static bool read_key(struct vgg_span text, int64_t *out)
{
    char digits[KEY_DIGITS + 1], *end;
    if (text.length == 0 || text.length > KEY_DIGITS) {
        return false;
    }
    memcpy(digits, text.bytes, text.length);
    digits[text.length] = '\0';
    if (digits[strspn(digits, "-0123456789")] != '\0') {
        return false;
    }
    *out = strtoll(digits, &end, 10);
    return *end == '\0';
}

/* Puts the tensor, or the storage, that a persistent id means in its place. */
static vgg_status resolve(const struct vgg_archive *archive, struct vgg_value *value,
                          struct vgg_error *err)
{
    const struct tar_state *state = archive->state;
    const struct vgg_value *id = value->persistent.id;
    struct tensor wanted = {0};
    if (id->kind != VGG_VALUE_TEXT || !read_key(id->text, &wanted.key)) {
        return vgg_fail(err, VGG_ERR_FORMAT, "%s: a persistent id that is no tensor's key",
                        archive->path);
    }
    struct tensor *tensor = state->tensor_count == 0
                                ? NULL
                                : bsearch(&wanted, state->tensors, state->tensor_count,
                                          sizeof *state->tensors, compare_tensors);
    if (tensor != NULL && tensor->view.storage != NULL) {
        if (tensor->value == NULL) {
            if (!vgg_tensor_value_make(&tensor->view, archive->arena, value)) {
                return vgg_fail_memory(err, archive->path, sizeof *value, "the tensors");
            }
            tensor->value = value;
        }
        *value = *tensor->value; /* shares its parts: memory is bounded by the number of tensors */
        return VGG_OK;
    }
    if (tensor != NULL) { /* without elements: of no use for weights */
        *value = (struct vgg_value){.kind = VGG_VALUE_NONE};
        return VGG_OK;
    }
    const struct part *part = find_part(state, wanted.key);
    if (part == NULL) {
        return vgg_fail(err, VGG_ERR_FORMAT, "%s: tensor %" PRIi64 " is not in the archive",
                        archive->path, wanted.key);
    }
    value->persistent.storage = part->storage;
    value->persistent.offset = part->offset;
    value->persistent.count = part->count;
    return VGG_OK;
}

static vgg_status read_object(struct vgg_archive *archive, struct vgg_pickle *out,
                              struct vgg_storages *storages, struct vgg_error *err)
{
    struct tar_state *state = archive->state;
    const struct vgg_pickle_source *source = &archive->pickle;
    vgg_status status = read_storages(archive, state, err);
    if (status == VGG_OK) {
        status = read_tensors(archive, state, err);
    }
    if (status == VGG_OK) {
        status = vgg_pickle_read(source, archive->limits, archive->arena, out, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (out->size != source->size) {
        return vgg_fail_at(err, VGG_ERR_FORMAT, source->file_offset + out->size,
                           "%s: tar member pickle: %zu bytes after the pickle's end", archive->path,
                           source->size - out->size);
    }
    for (size_t i = 0; i < out->persistent_count; i++) {
        status = resolve(archive, out->persistents[i], err);
        if (status != VGG_OK) {
            return status;
        }
    }
    *storages = (struct vgg_storages){.items = state->storages, .count = state->storage_count};
    return VGG_OK;
}

vgg_status vgg_tar_open(struct vgg_archive *archive, struct vgg_error *err)
{
    struct tar_state *state = vgg_arena_alloc(archive->arena, 1, sizeof *state);
    if (state == NULL) {
        return vgg_fail_memory(err, archive->path, sizeof *state, "the tar archive");
    }
    archive->state = state;
    vgg_status status = vgg_tar_members_read(archive, state->members, err);
    if (status == VGG_OK) {
        status = read_sys_info(archive, err);
    }
    if (status != VGG_OK) {
        archive->state = NULL;
        return status;
    }
    const struct vgg_tar_member *pickle = &state->members[VGG_TAR_PICKLE];
    snprintf(archive->writer, sizeof archive->writer,
             "PyTorch 0.1.9 or earlier, tar protocol %d, byteorder little", PROTOCOL);
    archive->pickle = (struct vgg_pickle_source){.path = archive->path,
                                                 .data = archive->file->data + pickle->offset,
                                                 .size = pickle->end - pickle->offset,
                                                 .file_offset = pickle->offset,
                                                 .ids_are_keys = true};
    archive->kind = VGG_CONTAINER_TAR;
    archive->read = read_object;
    return VGG_OK;
}
