/* SPDX-License-Identifier: MIT */
/* The files of a checkpoint: one, or several shards whose tensors are one net. */
#include "checkpoint/parts.h"

#include <stdlib.h>

#include "checkpoint/container/detect.h"

/* ---- mapping ---- */

static vgg_status allocate(struct vgg_parts_reader *reader, size_t count)
{
    const struct vgg_load *load = &reader->load;
    reader->parts->items = vgg_load_alloc(load, count, sizeof *reader->parts->items);
    reader->archives = vgg_load_alloc(load, count, sizeof *reader->archives);
    reader->pickles = vgg_load_alloc(load, count, sizeof *reader->pickles);
    reader->storages = vgg_load_alloc(load, count, sizeof *reader->storages);
    if (reader->parts->items == NULL || reader->archives == NULL || reader->pickles == NULL ||
        reader->storages == NULL) {
        return vgg_load_fail_memory(load, count * sizeof *reader->archives, "the files");
    }
    reader->parts->count = count;
    return VGG_OK;
}

static vgg_status map_part(const struct vgg_load *load, const char *path, uint64_t *bytes_left,
                           struct vgg_part *part)
{
    part->path = path;
    vgg_status status = vgg_file_map(path, *bytes_left, &part->file, load->err);
    *bytes_left -= status == VGG_OK ? part->file.size : 0;
    return status;
}

/* Maps the shards instead of the file that was named. */
static vgg_status map_shards(struct vgg_parts_reader *reader)
{
    uint64_t bytes_left = reader->load.limits->file_bytes;
    vgg_parts_close(reader->parts);
    vgg_status status = allocate(reader, reader->shards.count);
    for (size_t i = 0; i < reader->parts->count && status == VGG_OK; i++) {
        struct vgg_error *err = reader->load.err;
        status =
            map_part(&reader->load, reader->shards.paths[i], &bytes_left, &reader->parts->items[i]);
        if (status != VGG_OK && err != NULL) {
            const struct vgg_error first = *err;
            vgg_fail(err, status, "%s; the index %s names it", first.message,
                     reader->shards.index_path);
            err->sys_errno = first.sys_errno;
        }
    }
    return status;
}

vgg_status vgg_parts_map(struct vgg_parts_reader *reader)
{
    uint64_t bytes_left = reader->load.limits->file_bytes;
    vgg_status status = allocate(reader, 1);
    status =
        status ? status
               : map_part(&reader->load, reader->load.path, &bytes_left, &reader->parts->items[0]);
    status = status
                 ? status
                 : vgg_shards_find(&reader->load, &reader->parts->items[0].file, &reader->shards);
    return status == VGG_OK && reader->shards.count > 0 ? map_shards(reader) : status;
}

vgg_status vgg_parts_borrow(struct vgg_parts_reader *reader, const void *bytes, size_t count)
{
    vgg_status status = allocate(reader, 1);
    if (status == VGG_OK) {
        reader->parts->items[0].path = reader->load.path;
        vgg_file_borrow(bytes, count, &reader->parts->items[0].file);
    }
    return status;
}

void vgg_parts_close(struct vgg_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        vgg_file_close(&parts->items[i].file);
    }
    parts->count = 0;
}

/* ---- reading ---- */

static vgg_status read_part(struct vgg_parts_reader *reader, size_t i)
{
    struct vgg_part *part = &reader->parts->items[i];
    struct vgg_archive *archive = &reader->archives[i];
    *archive = (struct vgg_archive){.load = reader->load, .file = &part->file};
    archive->load.path = part->path;
    vgg_status status = vgg_archive_open(archive);
    if (status != VGG_OK) {
        return status;
    }
    part->container = archive->kind;
    status = vgg_archive_read(archive, &reader->pickles[i], &reader->storages[i]);
    const bool is_shard = reader->parts->count > 1;
    if (status == VGG_OK && is_shard &&
        (part->container == VGG_CONTAINER_PACKED ||
         reader->pickles[i].root->kind != VGG_VALUE_DICT)) {
        return vgg_fail(reader->load.err, VGG_ERR_FORMAT,
                        "%s: expected a state dict, as a shard of %s", part->path,
                        reader->shards.index_path);
    }
    return status;
}

/* A name of a tensor, and the shard that has it. */
struct owner {
    struct vgg_span name;
    const char *path;
};

static int compare_owners(const void *a, const void *b)
{
    const struct owner *left = a, *right = b;
    return vgg_span_compare(left->name, right->name);
}

/* What the weight map is compared with. */
struct comparison {
    const struct vgg_parts_reader *reader;
    const struct owner *owners;
    size_t count;
};

static bool check_owner(void *user, const char *tensor, const char *shard)
{
    const struct comparison *comparison = user;
    const struct vgg_parts_reader *reader = comparison->reader;
    const struct owner wanted = {.name = {tensor, (uint32_t)strlen(tensor)}};
    const struct owner *found = bsearch(&wanted, comparison->owners, comparison->count,
                                        sizeof *comparison->owners, compare_owners);
    if (found != NULL && vgg_ends_with(found->path, strlen(found->path), shard)) {
        return true;
    }
    vgg_fail(reader->load.err, VGG_ERR_MISMATCH,
             "%s: %.200s: expected in %s, which does not have it", reader->shards.index_path,
             tensor, shard);
    return false;
}

/* Lists the text keys of all shards, sorted; values under other keys are no tensors. */
static size_t list_owners(const struct vgg_parts_reader *reader, struct owner *owners)
{
    size_t count = 0;
    for (size_t p = 0; p < reader->parts->count; p++) {
        const struct vgg_value *root = reader->pickles[p].root;
        for (size_t i = 0; i + 1 < root->list.count; i += 2) {
            if (root->list.items[i]->kind == VGG_VALUE_TEXT) {
                owners[count++] =
                    (struct owner){root->list.items[i]->text, reader->parts->items[p].path};
            }
        }
    }
    qsort(owners, count, sizeof *owners, compare_owners);
    return count;
}

/* Makes one dict of those of all shards. */
static vgg_status merge(const struct vgg_parts_reader *reader, size_t total, struct vgg_pickle *out)
{
    const struct vgg_load *load = &reader->load;
    struct vgg_value *root = vgg_load_alloc(load, 1, sizeof *root);
    struct vgg_value **items = vgg_load_alloc(load, total, sizeof *items);
    if (root == NULL || items == NULL) {
        return vgg_load_fail_memory(load, total * sizeof *items, "the tensors");
    }
    *root = (struct vgg_value){.kind = VGG_VALUE_DICT, .list = {items, total, total}};
    for (size_t p = 0; p < reader->parts->count; p++) {
        const struct vgg_value *part = reader->pickles[p].root;
        memcpy(items, part->list.items, part->list.count * sizeof *items);
        items += part->list.count;
    }
    *out = (struct vgg_pickle){.root = root};
    return VGG_OK;
}

static vgg_status merge_shards(const struct vgg_parts_reader *reader, struct vgg_pickle *out)
{
    const struct vgg_load *load = &reader->load;
    size_t total = 0;
    for (size_t p = 0; p < reader->parts->count; p++) {
        total += reader->pickles[p].root->list.count & ~(size_t)1;
    }
    struct owner *owners = vgg_mem_alloc(vgg_load_allocator(load), total + 1, sizeof *owners);
    if (owners == NULL) {
        return vgg_load_fail_memory(load, total * sizeof *owners, "the tensors");
    }
    struct comparison comparison = {reader, owners, list_owners(reader, owners)};
    const bool good = vgg_shards_each(&reader->shards, check_owner, &comparison);
    vgg_mem_free(vgg_load_allocator(load), owners);
    return good ? merge(reader, total, out) : VGG_ERR_MISMATCH;
}

vgg_status vgg_parts_read(struct vgg_parts_reader *reader, struct vgg_pickle *out)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < reader->parts->count && status == VGG_OK; i++) {
        status = read_part(reader, i);
    }
    if (status != VGG_OK) {
        return status;
    }
    *out = reader->pickles[0];
    return reader->shards.count > 0 ? merge_shards(reader, out) : VGG_OK;
}

vgg_status vgg_parts_find_data(struct vgg_parts_reader *reader, struct vgg_storages *out)
{
    const size_t parts = reader->parts->count;
    size_t total = 0;
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < parts && status == VGG_OK; i++) {
        status = vgg_archive_find_data(&reader->archives[i], reader->pickles[i].size,
                                       &reader->storages[i]);
        total += reader->storages[i].count;
    }
    *out = reader->storages[0];
    if (status != VGG_OK || parts == 1) {
        return status;
    }
    *out = (struct vgg_storages){.items = vgg_load_alloc(&reader->load, total, sizeof *out->items)};
    if (out->items == NULL) {
        return vgg_load_fail_memory(&reader->load, total * sizeof *out->items, "the storages");
    }
    for (size_t i = 0; i < parts; i++) {
        memcpy(out->items + out->count, reader->storages[i].items,
               reader->storages[i].count * sizeof *out->items);
        out->count += reader->storages[i].count;
    }
    return VGG_OK;
}

void vgg_parts_finish(struct vgg_parts_reader *reader)
{
    for (size_t i = 0; reader->archives != NULL && i < reader->parts->count; i++) {
        vgg_archive_close(&reader->archives[i]);
    }
    vgg_shards_close(&reader->shards);
}
