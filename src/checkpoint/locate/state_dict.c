/* SPDX-License-Identifier: MIT */
/* From the tree of values to named tensors. */
#include "checkpoint/locate/state_dict.h"

#include <inttypes.h>
#include <stdlib.h>

static int compare_names(const void *a, const void *b)
{
    const struct vgg_tensor *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* Sorts the names; a name that is there twice is an error. */
static vgg_status make_index(struct vgg_state_dict *dict, const char *path, struct vgg_arena *arena,
                             struct vgg_error *err)
{
    dict->by_name = vgg_arena_alloc(arena, dict->count, sizeof(const struct vgg_tensor *));
    if (dict->by_name == NULL) {
        return vgg_fail_memory(err, path, dict->count * sizeof(void *), "the tensors");
    }
    for (size_t i = 0; i < dict->count; i++) {
        dict->by_name[i] = &dict->tensors[i];
    }
    qsort(dict->by_name, dict->count, sizeof(const struct vgg_tensor *), compare_names);
    for (size_t i = 1; i < dict->count; i++) {
        if (compare_names(&dict->by_name[i - 1], &dict->by_name[i]) == 0) {
            return vgg_fail(err, VGG_ERR_FORMAT, "%s: %s: the name is there twice", path,
                            dict->by_name[i]->name);
        }
    }
    return VGG_OK;
}

/* Reads the tensors and folds those that are in two parts; both stay in dict->parts. */
static vgg_status read_parts(const struct vgg_location *location, const char *path,
                             const struct vgg_limits *limits, struct vgg_arena *arena,
                             struct vgg_state_dict *dict, bool *hidden, struct vgg_error *err)
{
    size_t count = location->tensors.count;
    for (size_t i = 0; i < count; i++) {
        const struct vgg_named *named = &location->tensors.items[i];
        dict->parts[i].name = named->name;
        vgg_status status = vgg_tensor_rebuild(named->value, path, named->name, limits,
                                               &dict->parts[i], &dict->placements[i], err);
        if (status != VGG_OK) {
            return status;
        }
        dict->placements[i].storage->wanted = true;
    }
    dict->read_count = count;
    return vgg_folds_find(dict->parts, &count, hidden, dict->folds, &dict->fold_count, path, arena,
                          err);
}

/* Lists what is no part of another tensor; a whole stands where its first part does. */
static void list_tensors(struct vgg_state_dict *dict, const bool *hidden)
{
    for (size_t i = 0; i < dict->read_count; i++) {
        size_t index = i;
        for (size_t f = 0; f < dict->fold_count && hidden[index]; f++) {
            const struct vgg_fold *fold = &dict->folds[f];
            size_t first = fold->a < fold->b ? fold->a : fold->b;
            if (first == index) {
                index = fold->out;
            } else if (fold->a == index || fold->b == index) {
                break;
            }
        }
        if (!hidden[index]) {
            dict->index[dict->count] = index;
            dict->tensors[dict->count++] = dict->parts[index];
        }
    }
}

vgg_status vgg_state_dict_read(const struct vgg_pickle *pickle, const char *path, const char *key,
                               const struct vgg_limits *limits, struct vgg_arena *arena,
                               struct vgg_state_dict *out, struct vgg_error *err)
{
    struct vgg_state_dict dict = {0};
    vgg_status status = vgg_locate(pickle, path, key, limits, arena, &dict.location, err);
    if (status != VGG_OK) {
        return status;
    }
    const size_t most = 2 * dict.location.tensors.count; /* a pair hides two and adds one */
    const struct vgg_allocator *allocator = vgg_allocator_of(arena->context);
    bool *hidden = vgg_mem_alloc_cleared(allocator, most, sizeof *hidden);
    dict.parts = vgg_arena_alloc(arena, most, sizeof *dict.parts);
    dict.tensors = vgg_arena_alloc(arena, most, sizeof *dict.tensors);
    dict.placements = vgg_arena_alloc(arena, most, sizeof *dict.placements);
    dict.index = vgg_arena_alloc(arena, most, sizeof *dict.index);
    dict.folds = vgg_arena_alloc(arena, most, sizeof *dict.folds);
    if (hidden == NULL || dict.parts == NULL || dict.tensors == NULL || dict.placements == NULL ||
        dict.index == NULL || dict.folds == NULL) {
        status = vgg_fail_memory(err, path, most * sizeof *dict.parts, "the tensors");
        goto done;
    }
    status = read_parts(&dict.location, path, limits, arena, &dict, hidden, err);
    if (status == VGG_OK) {
        list_tensors(&dict, hidden);
        status = make_index(&dict, path, arena, err);
    }
    if (status == VGG_OK) {
        *out = dict;
    }
done:
    vgg_mem_free(allocator, hidden);
    return status;
}

/* Whole weights must not need more memory than the file can be held to: views of few elements can be
 * of any size, and many pairs can be views of the same elements. */
static vgg_status check_folds(const struct vgg_state_dict *dict,
                              const struct vgg_storages *storages, const char *path,
                              struct vgg_error *err)
{
    uint64_t left = 0;
    for (size_t i = 0; i < storages->count; i++) { /* no element is smaller than a byte */
        left += storages->items[i].wanted ? storages->items[i].bytes : 0;
    }
    for (size_t i = 0; i < dict->fold_count; i++) {
        const struct vgg_tensor *whole = &dict->parts[dict->folds[i].out];
        const uint64_t count = (uint64_t)vgg_tensor_get_count(whole);
        if (count > left) {
            return vgg_fail(err, VGG_ERR_LIMIT,
                            "%s: %s: its parts have %" PRIu64 " elements, more than the file holds",
                            path, whole->name, count);
        }
        left -= count;
    }
    return VGG_OK;
}

/* Computes the tensors that are in two parts. */
static vgg_status fold(struct vgg_state_dict *dict, const char *path, struct vgg_arena *arena,
                       struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < dict->fold_count && status == VGG_OK; i++) {
        struct vgg_tensor *whole = &dict->parts[dict->folds[i].out];
        const size_t count = (size_t)vgg_tensor_get_count(whole);
        float *values = vgg_arena_alloc(arena, count, sizeof *values);
        if (values == NULL) {
            return vgg_fail_memory(err, path, count * sizeof *values, whole->name);
        }
        whole->data = values;
        status = vgg_fold_compute(&dict->folds[i], dict->parts, values, path,
                                  vgg_allocator_of(arena->context), err);
    }
    return status;
}

vgg_status vgg_state_dict_bind(struct vgg_state_dict *dict, const struct vgg_storages *storages,
                               bool compute, const char *path, struct vgg_arena *arena,
                               struct vgg_error *err)
{
    for (size_t i = 0; i < dict->read_count; i++) {
        struct vgg_tensor *tensor = &dict->parts[i];
        const struct vgg_storage *storage = dict->placements[i].storage;
        uint64_t offset = dict->placements[i].offset;
        tensor->data = storage->data != NULL ? storage->data + offset : NULL;
        tensor->file_offset =
            storage->file_offset == VGG_NO_OFFSET ? VGG_NO_OFFSET : storage->file_offset + offset;
        tensor->swapped = storage->swapped && vgg_dtype_get_bytes(tensor->dtype) > 1;
        tensor->layout = storage->layout;
        if (tensor->layout != VGG_LAYOUT_ROWS) {
            memset(tensor->stride, 0, sizeof tensor->stride);
        }
    }
    for (size_t i = 0; i < dict->fold_count; i++) {
        struct vgg_tensor *whole = &dict->parts[dict->folds[i].out];
        whole->file_offset = VGG_NO_OFFSET;
        whole->data = NULL;
        whole->swapped = false;
    }
    vgg_status status = VGG_OK;
    if (compute) {
        status = check_folds(dict, storages, path, err);
        status = status == VGG_OK ? fold(dict, path, arena, err) : status;
    }
    for (size_t i = 0; i < dict->count; i++) {
        dict->tensors[i] = dict->parts[dict->index[i]];
    }
    return status;
}
