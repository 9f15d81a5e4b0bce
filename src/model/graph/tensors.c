/* SPDX-License-Identifier: MIT */
/* Searches a checkpoint's tensors by name. */
#include "model/graph/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    const struct vgg_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Whether a tensor is the four-dimensional weight of a module called fc, fc1, fc6 … */
static bool is_fc_filter(const struct vgg_tensor *tensor)
{
    static const char leaf[] = ".weight";
    const size_t length = strlen(tensor->name), tail = sizeof leaf - 1;
    size_t begin = length > tail ? length - tail : 0;
    if (tensor->ndim != 4 || begin == 0 || strcmp(tensor->name + begin, leaf) != 0) {
        return false;
    }
    while (begin > 0 && tensor->name[begin - 1] != '.') {
        begin--;
    }
    return strncmp(tensor->name + begin, "fc", 2) == 0 && tensor->shape[2] == tensor->shape[3] &&
           vgg_tensor_get_count(tensor) > 0 && vgg_tensor_is_contiguous(tensor);
}

/* Returns a matrix with the same bytes; NULL without memory. */
static const struct vgg_tensor *make_matrix(const struct vgg_tensor *tensor,
                                            struct vgg_arena *arena)
{
    struct vgg_tensor *matrix = vgg_arena_alloc(arena, 1, sizeof *matrix);
    if (matrix != NULL) {
        *matrix = *tensor;
        matrix->ndim = 2;
        /* The product cannot overflow: the file has all elements. */
        matrix->shape[1] = tensor->shape[1] * tensor->shape[2] * tensor->shape[3];
        matrix->stride[0] = matrix->shape[1];
        matrix->stride[1] = 1;
    }
    return matrix;
}

vgg_status vgg_tensor_list_init(struct vgg_tensor_list *list, struct vgg_arena *arena,
                                const struct vgg_tensor *const *tensors, size_t count,
                                struct vgg_error *err)
{
    list->items = vgg_arena_alloc(arena, count, sizeof *list->items);
    list->by_name = vgg_arena_alloc(arena, count, sizeof *list->by_name);
    list->count = count;
    list->filter = NULL;
    list->optional = NULL;
    if (list->items == NULL || list->by_name == NULL) {
        return vgg_fail_memory(err, "model", count * sizeof *list->items, "the list of tensors");
    }
    for (size_t i = 0; i < count; i++) {
        const bool flat = is_fc_filter(tensors[i]);
        list->items[i] = list->by_name[i] = flat ? make_matrix(tensors[i], arena) : tensors[i];
        if (list->items[i] == NULL) {
            return vgg_fail_memory(err, "model", sizeof **list->items, "a tensor");
        }
        list->filter = list->filter == NULL && flat ? list->items[i] : list->filter;
    }
    qsort(list->by_name, count, sizeof *list->by_name, compare_names);
    return VGG_OK;
}

/* Whether a tensor has this name, or is in the module of this name. */
static bool is_of(const struct vgg_tensor *tensor, const char *name)
{
    const size_t length = strlen(name);
    return strncmp(tensor->name, name, length) == 0 &&
           (tensor->name[length] == '\0' || tensor->name[length] == '.');
}

static bool is_left_out(const struct vgg_tensor *tensor, const char *const *names, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        if (is_of(tensor, names[n])) {
            return true;
        }
    }
    return false;
}

/* Each name must be one of the file's. */
static vgg_status check_left_out(const struct vgg_load *load, const struct vgg_tensor_list *list,
                                 const char *const *names, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        size_t i = 0;
        while (i < list->count && !is_of(list->items[i], names[n])) {
            i++;
        }
        if (i == list->count) {
            return vgg_fail(load->err, VGG_ERR_MISMATCH,
                            "%s: unused: expected a module or a tensor of the file, found none of "
                            "the name %.100s",
                            load->path, names[n]);
        }
    }
    return VGG_OK;
}

vgg_status vgg_tensor_list_leave_out(const struct vgg_load *load,
                                     const struct vgg_tensor_list *list, const char *const *names,
                                     size_t count, struct vgg_tensor_list *out)
{
    vgg_status status = check_left_out(load, list, names, count);
    bool *optional = vgg_load_alloc(load, list->count, sizeof *optional);
    *out = (struct vgg_tensor_list){
        .items = vgg_load_alloc(load, list->count, sizeof *out->items),
        .by_name = vgg_load_alloc(load, list->count, sizeof *out->by_name),
        .filter = list->filter,
        .optional = optional,
    };
    if (status != VGG_OK || out->items == NULL || out->by_name == NULL || optional == NULL) {
        return status ? status
                      : vgg_load_fail_memory(load, list->count * sizeof *out->items,
                                             "the list of tensors");
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!is_left_out(list->items[i], names, count)) {
            optional[out->count] = list->optional != NULL && list->optional[i];
            out->items[out->count] = out->by_name[out->count] = list->items[i];
            out->count++;
        }
    }
    qsort(out->by_name, out->count, sizeof *out->by_name, compare_names);
    return VGG_OK;
}

const struct vgg_tensor *vgg_tensor_list_find(const struct vgg_tensor_list *list, const char *name)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, list->by_name[middle]->name);
        if (order == 0) {
            return list->by_name[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct vgg_tensor *vgg_tensor_list_findf(const struct vgg_tensor_list *list,
                                               const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(name, sizeof name, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof name) {
        return NULL;
    }
    return vgg_tensor_list_find(list, name);
}

bool vgg_dtype_is_float(enum vgg_dtype dtype)
{
    return dtype == VGG_DTYPE_F32 || dtype == VGG_DTYPE_F64 || dtype == VGG_DTYPE_F16 ||
           dtype == VGG_DTYPE_BF16 || dtype == VGG_DTYPE_F8_E4M3 || dtype == VGG_DTYPE_F8_E5M2;
}

const char *vgg_shape_text(const int64_t *shape, int ndim, char out[VGG_SHAPE_TEXT_BYTES])
{
    /* 8 sides of at most 20 characters, their commas and the brackets fit. */
    size_t used = 0;
    out[used++] = '[';
    for (int i = 0; i < ndim && i < VGG_MAX_DIMS; i++) {
        used += (size_t)snprintf(out + used, VGG_SHAPE_TEXT_BYTES - used, "%s%lld",
                                 i > 0 ? "," : "", (long long)shape[i]);
    }
    out[used++] = ']';
    out[used] = '\0';
    return out;
}
