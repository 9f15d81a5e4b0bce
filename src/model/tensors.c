/* Searching a checkpoint's tensors by name, and looking at single elements. */
#include "model/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    const struct vgg_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

vgg_status vgg_tensor_list_init(struct vgg_tensor_list *list, struct vgg_arena *arena,
                                const struct vgg_tensor *const *tensors, size_t count,
                                struct vgg_error *err)
{
    list->items = vgg_arena_alloc(arena, count, sizeof *list->items);
    list->by_name = vgg_arena_alloc(arena, count, sizeof *list->by_name);
    list->count = count;
    if (list->items == NULL || list->by_name == NULL) {
        return vgg_fail_memory(err, "model", count * sizeof *list->items, "the list of tensors");
    }
    for (size_t i = 0; i < count; i++) {
        list->items[i] = tensors[i];
        list->by_name[i] = tensors[i];
    }
    qsort(list->by_name, count, sizeof *list->by_name, compare_names);
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
