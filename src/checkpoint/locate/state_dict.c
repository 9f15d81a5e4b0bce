/* SPDX-License-Identifier: MIT */
/* Makes named tensors from the tree of values. */
#include "checkpoint/locate/state_dict.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint/tensor/tensor.h"

static int compare_names(const void *a, const void *b)
{
    const struct vgg_tensor *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* Sorts the names; the same name twice is an error. */
static vgg_status make_index(const struct vgg_load *load, struct vgg_state_dict *dict)
{
    dict->by_name = vgg_load_alloc(load, dict->count, sizeof(const struct vgg_tensor *));
    if (dict->by_name == NULL) {
        return vgg_load_fail_memory(load, dict->count * sizeof(void *), "the tensors");
    }
    for (size_t i = 0; i < dict->count; i++) {
        dict->by_name[i] = &dict->tensors[i];
    }
    qsort(dict->by_name, dict->count, sizeof(const struct vgg_tensor *), compare_names);
    for (size_t i = 1; i < dict->count; i++) {
        if (compare_names(&dict->by_name[i - 1], &dict->by_name[i]) == 0) {
            return vgg_fail(load->err, VGG_ERR_FORMAT, "%s: %s: the name is given twice",
                            load->path, dict->by_name[i]->name);
        }
    }
    return VGG_OK;
}

/* Bounds the elements that tensors repeat by strides of 0, or by rows that overlap: a few bytes of a file must not become
 * gigabytes, whatever they are read for.
 *   repeated  bytes of the tensors before; those of this one are added */
static vgg_status check_repeated(const struct vgg_load *load, const struct vgg_tensor *tensor,
                                 uint64_t *repeated)
{
    const uint64_t bytes =
        (uint64_t)vgg_tensor_get_count(tensor) * vgg_dtype_get_bytes(tensor->dtype);
    const uint64_t held = vgg_tensor_get_extent(tensor);
    *repeated += bytes > held ? bytes - held : 0;
    if (*repeated > load->limits->repeated_bytes) {
        return vgg_fail(load->err, VGG_ERR_LIMIT,
                        "%s: %s: %" PRIu64 " bytes of elements in %" PRIu64 " of the file: %" PRIu64
                        " are repeated, limit is %" PRIu64,
                        load->path, tensor->name, bytes, held, *repeated,
                        load->limits->repeated_bytes);
    }
    return VGG_OK;
}

/* Reads the tensors, and finds weights that are stored as two of them, into dict->parts. */
static vgg_status read_parts(const struct vgg_load *load, struct vgg_state_dict *dict)
{
    struct vgg_fold_list *parts = &dict->parts;
    uint64_t repeated = 0;
    for (size_t i = 0; i < dict->location.tensors.count; i++) {
        const struct vgg_named *named = &dict->location.tensors.items[i];
        parts->tensors[i].name = named->name;
        vgg_status status = vgg_tensor_rebuild(load, named->value, named->name, &parts->tensors[i],
                                               &dict->placements[i]);
        status = status ? status : check_repeated(load, &parts->tensors[i], &repeated);
        if (status != VGG_OK) {
            return status;
        }
        dict->placements[i].storage->wanted = true;
    }
    parts->count = dict->read_count = dict->location.tensors.count;
    return vgg_folds_find(load, parts);
}

/* Lists the tensors that are not part of another; a computed one takes the place of its first part. */
static void list_tensors(struct vgg_state_dict *dict)
{
    const struct vgg_fold_list *parts = &dict->parts;
    for (size_t i = 0; i < dict->read_count; i++) {
        size_t index = i;
        for (size_t f = 0; f < parts->fold_count && parts->hidden[index]; f++) {
            const struct vgg_fold *fold = &parts->folds[f];
            size_t first = fold->a < fold->b ? fold->a : fold->b;
            if (first == index) {
                index = fold->out;
            } else if (fold->a == index || fold->b == index) {
                break;
            }
        }
        if (!parts->hidden[index]) {
            dict->index[dict->count] = index;
            dict->tensors[dict->count++] = parts->tensors[index];
        }
    }
}

/* Allocates the lists. A pair hides two tensors and adds one, so none is longer than twice those read. */
static vgg_status allocate(const struct vgg_load *load, struct vgg_state_dict *dict)
{
    const size_t max = 2 * dict->location.tensors.count;
    struct vgg_fold_list *parts = &dict->parts;
    parts->tensors = vgg_load_alloc(load, max, sizeof *parts->tensors);
    parts->hidden = vgg_load_alloc(load, max, sizeof *parts->hidden);
    parts->folds = vgg_load_alloc(load, max, sizeof *parts->folds);
    dict->tensors = vgg_load_alloc(load, max, sizeof *dict->tensors);
    dict->placements = vgg_load_alloc(load, max, sizeof *dict->placements);
    dict->index = vgg_load_alloc(load, max, sizeof *dict->index);
    const bool have_parts = parts->tensors != NULL && parts->hidden != NULL && parts->folds != NULL;
    return have_parts && dict->tensors != NULL && dict->placements != NULL && dict->index != NULL
               ? VGG_OK
               : vgg_load_fail_memory(load, max * sizeof *dict->tensors, "the tensors");
}

vgg_status vgg_state_dict_read(const struct vgg_load *load, const struct vgg_pickle *pickle,
                               const char *key, struct vgg_state_dict *out)
{
    struct vgg_state_dict dict = {0};
    vgg_status status = vgg_locate(load, pickle, key, &dict.location);
    if (status == VGG_OK) {
        status = allocate(load, &dict);
    }
    if (status == VGG_OK) {
        status = read_parts(load, &dict);
    }
    if (status == VGG_OK) {
        list_tensors(&dict);
        status = make_index(load, &dict);
    }
    if (status == VGG_OK) {
        *out = dict;
    }
    return status;
}

/* Bounds the memory of computed weights by the elements in the file: a view of few elements can have any size, and many
 * pairs can be views of the same elements. */
static vgg_status check_folds(const struct vgg_load *load, const struct vgg_state_dict *dict,
                              const struct vgg_storages *storages)
{
    const struct vgg_fold_list *parts = &dict->parts;
    uint64_t left = 0;
    for (size_t i = 0; i < storages->count; i++) { /* an element has at least one byte */
        left += storages->items[i].wanted ? storages->items[i].bytes : 0;
    }
    for (size_t i = 0; i < parts->fold_count; i++) {
        const struct vgg_tensor *whole = &parts->tensors[parts->folds[i].out];
        const uint64_t count = (uint64_t)vgg_tensor_get_count(whole);
        if (count > left) {
            return vgg_fail(load->err, VGG_ERR_LIMIT,
                            "%s: %s: its parts have %" PRIu64 " elements, more than the file holds",
                            load->path, whole->name, count);
        }
        left -= count;
    }
    return VGG_OK;
}

/* Computes the weights that are stored as two tensors. */
static vgg_status fold(const struct vgg_load *load, const struct vgg_fold_list *parts)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < parts->fold_count && status == VGG_OK; i++) {
        struct vgg_tensor *whole = &parts->tensors[parts->folds[i].out];
        const size_t count = (size_t)vgg_tensor_get_count(whole);
        float *values = vgg_load_alloc(load, count, sizeof *values);
        if (values == NULL) {
            return vgg_load_fail_memory(load, count * sizeof *values, whole->name);
        }
        whole->data = values;
        status = vgg_fold_compute(load, &parts->folds[i], parts->tensors, values);
    }
    return status;
}

vgg_status vgg_state_dict_bind(const struct vgg_load *load, struct vgg_state_dict *dict,
                               const struct vgg_storages *storages, bool compute)
{
    const struct vgg_fold_list *parts = &dict->parts;
    for (size_t i = 0; i < dict->read_count; i++) {
        struct vgg_tensor *tensor = &parts->tensors[i];
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
    for (size_t i = 0; i < parts->fold_count; i++) {
        struct vgg_tensor *whole = &parts->tensors[parts->folds[i].out];
        whole->file_offset = VGG_NO_OFFSET;
        whole->data = NULL;
        whole->swapped = false;
    }
    vgg_status status = VGG_OK;
    if (compute) {
        status = check_folds(load, dict, storages);
        status = status == VGG_OK ? fold(load, parts) : status;
    }
    for (size_t i = 0; i < dict->count; i++) {
        dict->tensors[i] = parts->tensors[dict->index[i]];
    }
    return status;
}
