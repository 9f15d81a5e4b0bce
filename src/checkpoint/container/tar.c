/* SPDX-License-Identifier: MIT */
/* The tar container, torch.save before 0.1.10: four members of pickles, with binary data between them.
 *   sys_info  pickle of a dict about the writing system
 *   storages  pickle of a count, then for each: pickle of (key, location, class), its number of elements
 *             (8 bytes), the elements; and a pickle of [(key, root's key, offset, count), …], the
 *             storages that are parts of others
 *   tensors   pickle of a count, then for each: pickle of (key, storage's key, class), its number of
 *             dimensions (8 bytes), sizes, strides and offset in the storage (8 bytes each)
 *   pickle    the object; its persistent ids are keys of tensors (or storages), as texts
 * Keys are integers. All data is little-endian: checkpoints of big-endian machines are refused. */
#include "checkpoint/container/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/container/tar_reader.h"
#include "checkpoint/container/tar_tables.h"

enum {
    PROTOCOL = 1000,
    HEADER_OPCODES = 200, /* of sys_info */
};

struct tar_state {
    struct vgg_tar_member members[VGG_TAR_MEMBERS];
    struct vgg_tar_tables tables;
};

static vgg_status read_sys_info(const struct vgg_archive *archive)
{
    const struct tar_state *state = archive->state;
    struct vgg_tar_reader reader = vgg_tar_reader_make(archive, state->members, VGG_TAR_SYS_INFO);
    const struct vgg_value *info;
    bool known = false;
    vgg_status status =
        vgg_tar_read_pickle(&reader, HEADER_OPCODES, VGG_VALUE_DICT, "a dict", &info);
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
            return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                            "%s: a tar checkpoint of a big-endian machine, which is not supported",
                            archive->load.path);
        }
        known = known || (vgg_span_equals(key->text, "protocol_version") &&
                          value->kind == VGG_VALUE_INT && value->integer == PROTOCOL);
    }
    if (!known) {
        return vgg_fail(archive->load.err, VGG_ERR_UNSUPPORTED,
                        "%s: expected a tar checkpoint of protocol %d, found another one",
                        archive->load.path, PROTOCOL);
    }
    return vgg_tar_check_end(&reader);
}

static bool read_key(struct vgg_span text, int64_t *out)
{
    char digits[VGG_TAR_KEY_DIGITS + 1], *end;
    if (text.length == 0 || text.length > VGG_TAR_KEY_DIGITS) {
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

/* Replaces a persistent id by the tensor or storage that it refers to. */
static vgg_status resolve(const struct vgg_archive *archive, struct vgg_value *value)
{
    const struct tar_state *state = archive->state;
    const struct vgg_value *id = value->persistent.id;
    int64_t key;
    if (id->kind != VGG_VALUE_TEXT || !read_key(id->text, &key)) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: a persistent id that is not the key of a tensor", archive->load.path);
    }
    struct vgg_tar_tensor *tensor = vgg_tar_find_tensor(&state->tables, key);
    if (tensor != NULL && tensor->view.storage != NULL) {
        if (tensor->value == NULL) {
            if (!vgg_tensor_value_make(&tensor->view, archive->load.arena, value)) {
                return vgg_load_fail_memory(&archive->load, sizeof *value, "the tensors");
            }
            tensor->value = value;
        }
        *value = *tensor->value; /* shares its parts, so that the number of tensors bounds memory */
        return VGG_OK;
    }
    if (tensor != NULL) { /* without elements: not a weight */
        *value = (struct vgg_value){.kind = VGG_VALUE_NONE};
        return VGG_OK;
    }
    const struct vgg_tar_part *part = vgg_tar_find_part(&state->tables, key);
    if (part == NULL) {
        return vgg_fail(archive->load.err, VGG_ERR_FORMAT,
                        "%s: tensor %" PRIi64 " is not in the archive", archive->load.path, key);
    }
    value->persistent.storage = part->storage;
    value->persistent.offset = part->offset;
    value->persistent.count = part->count;
    return VGG_OK;
}

static vgg_status read_object(struct vgg_archive *archive, struct vgg_pickle *out,
                              struct vgg_storages *storages)
{
    struct tar_state *state = archive->state;
    const struct vgg_pickle_source *source = &archive->pickle;
    struct vgg_tar_tables *tables = &state->tables;
    vgg_status status = vgg_tar_tables_read(archive, state->members, tables);
    if (status == VGG_OK) {
        status = vgg_pickle_read(&archive->load, source, out);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (out->size != source->size) {
        return vgg_fail_at(archive->load.err, VGG_ERR_FORMAT, source->file_offset + out->size,
                           "%s: tar member pickle: %zu bytes after the pickle's end",
                           archive->load.path, source->size - out->size);
    }
    for (size_t i = 0; i < out->persistent_count; i++) {
        status = resolve(archive, out->persistents[i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    *storages = (struct vgg_storages){.items = tables->storages, .count = tables->storage_count};
    return VGG_OK;
}

vgg_status vgg_tar_open(struct vgg_archive *archive)
{
    struct tar_state *state = vgg_load_alloc(&archive->load, 1, sizeof *state);
    if (state == NULL) {
        return vgg_load_fail_memory(&archive->load, sizeof *state, "the tar archive");
    }
    archive->state = state;
    vgg_status status = vgg_tar_members_read(archive, state->members);
    if (status == VGG_OK) {
        status = read_sys_info(archive);
    }
    if (status != VGG_OK) {
        archive->state = NULL;
        return status;
    }
    const struct vgg_tar_member *pickle = &state->members[VGG_TAR_PICKLE];
    snprintf(archive->writer, sizeof archive->writer,
             "PyTorch 0.1.9 or earlier, tar protocol %d, byteorder little", PROTOCOL);
    archive->pickle = (struct vgg_pickle_source){.data = archive->file->data + pickle->offset,
                                                 .size = pickle->end - pickle->offset,
                                                 .file_offset = pickle->offset,
                                                 .ids_are_keys = true};
    archive->kind = VGG_CONTAINER_TAR;
    archive->read = read_object;
    return VGG_OK;
}
