/* SPDX-License-Identifier: MIT */
/* Reads the storages from the persistent ids of a pickle. */
#include "checkpoint/container/storage.h"

#include <inttypes.h>
#include <stdlib.h>

static bool is_text(const struct vgg_value *value, const char *text)
{
    return value->kind == VGG_VALUE_TEXT && vgg_span_equals(value->text, text);
}

/* Keys are numbers, and become part of member names and messages. A script that was saved for the lite interpreter has
 * "0.storage". */
static bool is_key(const struct vgg_value *value)
{
    static const char ending[] = ".storage";
    if (value->kind != VGG_VALUE_TEXT || value->text.length == 0 || value->text.length > 64) {
        return false;
    }
    const uint32_t length = value->text.length, end = sizeof ending - 1;
    const bool ends = length > end && vgg_span_ends_with(value->text, ending);
    for (uint32_t i = 0; i < length - (ends ? end : 0); i++) {
        char c = value->text.bytes[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return true;
}

static bool is_count(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_INT && value->integer >= 0;
}

/* The part of a storage that a persistent id refers to: all of it, or (key, offset, count). */
static vgg_status read_view(const struct vgg_load *load, struct vgg_value *value,
                            const struct vgg_value *view)
{
    uint64_t total = (uint64_t)value->persistent.id->list.items[4]->integer;
    value->persistent.offset = 0;
    value->persistent.count = total;
    if (view->kind == VGG_VALUE_NONE) {
        return VGG_OK;
    }
    struct vgg_value **items = view->list.items;
    if (view->kind != VGG_VALUE_TUPLE || view->list.count != 3 || !is_key(items[0]) ||
        !is_count(items[1]) || !is_count(items[2])) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: storage: expected a view (key, offset, count), found something else",
                        load->path);
    }
    uint64_t offset = (uint64_t)items[1]->integer, count = (uint64_t)items[2]->integer;
    if (offset > total || count > total - offset) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: storage %.*s: view of elements %" PRIu64 " … %" PRIu64 " + %" PRIu64
                        " exceeds its %" PRIu64 " elements",
                        load->path, (int)items[0]->text.length, items[0]->text.bytes, offset,
                        offset, count, total);
    }
    value->persistent.offset = offset;
    value->persistent.count = count;
    return VGG_OK;
}

static vgg_status read_id(const struct vgg_load *load, struct vgg_value *value,
                          struct vgg_storage *out)
{
    const struct vgg_value *id = value->persistent.id;
    size_t count = id->list.count;
    struct vgg_value **items = id->list.items;
    if ((count != 5 && count != 6) || !is_text(items[0], "storage") ||
        items[1]->kind != VGG_VALUE_GLOBAL || items[1]->global.entry->role != VGG_GLOBAL_STORAGE ||
        !is_key(items[2]) || items[3]->kind != VGG_VALUE_TEXT || !is_count(items[4])) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: expected a storage ('storage', class, key, location, count), found "
                        "another persistent id",
                        load->path);
    }
    uint64_t bytes;
    const struct vgg_element_type *type = items[1]->global.entry->element;
    if (__builtin_mul_overflow((uint64_t)items[4]->integer, type->bytes, &bytes)) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: storage %.*s: %" PRIi64 " elements overflow", load->path,
                        (int)items[2]->text.length, items[2]->text.bytes, items[4]->integer);
    }
    *out = (struct vgg_storage){.key = items[2]->text,
                                .type = type,
                                .count = (uint64_t)items[4]->integer,
                                .bytes = bytes,
                                .meta = is_text(items[3], "meta"),
                                .file_offset = VGG_NO_OFFSET};
    static const struct vgg_value none = {.kind = VGG_VALUE_NONE};
    return read_view(load, value, count == 6 ? items[5] : &none);
}

static int compare_keys(const void *a, const void *b)
{
    const struct vgg_storage *left = a, *right = b;
    return vgg_span_compare(left->key, right->key);
}

struct vgg_storage *vgg_storages_find(const struct vgg_storages *storages, struct vgg_span key)
{
    struct vgg_storage wanted = {.key = key};
    return storages->count == 0 ? NULL
                                : bsearch(&wanted, storages->items, storages->count,
                                          sizeof *storages->items, compare_keys);
}

vgg_status vgg_storages_collect(const struct vgg_load *load, const struct vgg_pickle *pickle,
                                struct vgg_storages *out)
{
    size_t total = pickle->persistent_count;
    struct vgg_storage *items = vgg_load_alloc(load, total, sizeof *items);
    if (items == NULL) {
        return vgg_load_fail_memory(load, total * sizeof *items, "the storages");
    }
    for (size_t i = 0; i < total; i++) {
        vgg_status status = read_id(load, pickle->persistents[i], &items[i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    qsort(items, total, sizeof *items, compare_keys);
    size_t count = 0;
    for (size_t i = 0; i < total; i++) {
        struct vgg_storage *last = count > 0 ? &items[count - 1] : NULL;
        if (last == NULL || compare_keys(last, &items[i]) != 0) {
            items[count++] = items[i];
        } else if (last->type != items[i].type || last->count != items[i].count) {
            return vgg_fail(load->err, VGG_ERR_FORMAT,
                            "%s: storage %.*s is both %" PRIu64 " x %s and %" PRIu64 " x %s",
                            load->path, (int)last->key.length, last->key.bytes, last->count,
                            last->type->name, items[i].count, items[i].type->name);
        }
    }
    *out = (struct vgg_storages){.items = items, .count = count};
    for (size_t i = 0; i < total; i++) {
        struct vgg_value *value = pickle->persistents[i];
        value->persistent.storage =
            vgg_storages_find(out, value->persistent.id->list.items[2]->text);
    }
    return VGG_OK;
}
