/* The encodings of a tensor: three generations of rebuild functions, and the class with BUILD state
 * that came before them. */
#include "checkpoint/rebuild.h"

#include <inttypes.h>

/* What all messages here name. */
struct context {
    const char *path, *name;
    struct vgg_error *err;
};

#define FAIL(context, code, format, ...)                                                           \
    vgg_fail((context)->err, code, "%s: %s: " format, (context)->path, (context)->name, __VA_ARGS__)

static enum vgg_global_role role_of(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_OBJECT ? value->object.callee->global.entry->role
                                           : VGG_GLOBAL_OPAQUE;
}

bool vgg_value_is_tensor(const struct vgg_value *value)
{
    switch (role_of(value)) {
    case VGG_GLOBAL_REBUILD_TENSOR:
    case VGG_GLOBAL_REBUILD_TENSOR_V2:
    case VGG_GLOBAL_REBUILD_TENSOR_V3:
    case VGG_GLOBAL_REBUILD_PARAMETER:
    case VGG_GLOBAL_TENSOR:
    case VGG_GLOBAL_OTHER_TENSOR:
        return true;
    default:
        return false;
    }
}

static vgg_status fail_shape(const struct context *context, const char *what)
{
    return FAIL(context, VGG_ERR_FORMAT, "bad tensor: %s", what);
}

/* A tuple of integers, or a torch.Size of one. */
static const struct vgg_value *as_tuple(const struct vgg_value *value)
{
    if (role_of(value) == VGG_GLOBAL_SIZE && value->object.args->list.count == 1) {
        value = value->object.args->list.items[0];
    }
    return value->kind == VGG_VALUE_TUPLE || value->kind == VGG_VALUE_LIST ? value : NULL;
}

static vgg_status read_dims(const struct context *context, const struct vgg_value *value,
                            const char *what, int64_t *out, int *ndim)
{
    const struct vgg_value *tuple = as_tuple(value);
    if (tuple == NULL) {
        return FAIL(context, VGG_ERR_FORMAT, "bad tensor: %s: expected a tuple, found %s", what,
                    vgg_value_kind_string(value->kind));
    }
    if (tuple->list.count > VGG_MAX_DIMS) {
        return FAIL(context, VGG_ERR_UNSUPPORTED, "%zu dimensions, at most %d are supported",
                    tuple->list.count, VGG_MAX_DIMS);
    }
    for (size_t i = 0; i < tuple->list.count; i++) {
        const struct vgg_value *item = tuple->list.items[i];
        if (item->kind != VGG_VALUE_INT || item->integer < 0) {
            return FAIL(context, VGG_ERR_FORMAT, "bad tensor: %s %zu is negative or not an integer",
                        what, i);
        }
        out[i] = item->integer;
    }
    *ndim = (int)tuple->list.count;
    return VGG_OK;
}

/* Every element must lie inside the part of the storage that the tensor was given. */
static vgg_status check_extent(const struct context *context, const struct vgg_tensor *tensor,
                               uint64_t offset, uint64_t available, const struct vgg_limits *limits)
{
    uint64_t count = 1, last = offset;
    bool empty = false, fits = true;
    for (int i = 0; i < tensor->ndim; i++) {
        empty = empty || tensor->shape[i] == 0;
    }
    if (empty) {
        return offset <= available ? VGG_OK : fail_shape(context, "offset outside its storage");
    }
    for (int i = 0; i < tensor->ndim && fits; i++) {
        uint64_t size = (uint64_t)tensor->shape[i], stride = (uint64_t)tensor->stride[i], reach;
        fits = !__builtin_mul_overflow(count, size, &count) &&
               !__builtin_mul_overflow(size - 1, stride, &reach) &&
               !__builtin_add_overflow(last, reach, &last);
    }
    if (!fits || last >= available) {
        return FAIL(context, VGG_ERR_FORMAT,
                    "bad tensor: elements outside its storage of %" PRIu64 " elements", available);
    }
    if (count > limits->file_bytes) { /* strides of 0 make much of little */
        return FAIL(context, VGG_ERR_LIMIT, "%" PRIu64 " elements, limit is %" PRIu64, count,
                    limits->file_bytes);
    }
    return VGG_OK;
}

/* (storage, offset, size, stride, …) */
static vgg_status read_view(const struct context *context, struct vgg_value *const *items,
                            const struct vgg_element_type *class_type,
                            const struct vgg_limits *limits, struct vgg_tensor *out,
                            struct vgg_placement *placement)
{
    const struct vgg_value *view = items[0], *offset = items[1];
    int stride_count;
    if (view->kind != VGG_VALUE_PERSISTENT || view->persistent.storage == NULL) {
        return FAIL(context, VGG_ERR_FORMAT, "bad tensor: expected a storage, found %s",
                    vgg_value_kind_string(view->kind));
    }
    if (offset->kind != VGG_VALUE_INT || offset->integer < 0) {
        return fail_shape(context, "the offset is negative or not an integer");
    }
    struct vgg_storage *storage = view->persistent.storage;
    if (class_type != NULL && class_type != storage->type) {
        return FAIL(context, VGG_ERR_FORMAT, "bad tensor: a %sTensor in a %sStorage",
                    class_type->name, storage->type->name);
    }
    if (!storage->type->supported) {
        return FAIL(context, VGG_ERR_UNSUPPORTED, "elements of torch.%sStorage are not supported",
                    storage->type->name);
    }
    vgg_status status = read_dims(context, items[2], "size", out->shape, &out->ndim);
    if (status == VGG_OK) {
        status = read_dims(context, items[3], "stride", out->stride, &stride_count);
    }
    if (status != VGG_OK) {
        return status;
    }
    if (out->ndim != stride_count) {
        return FAIL(context, VGG_ERR_FORMAT, "bad tensor: %d sizes and %d strides", out->ndim,
                    stride_count);
    }
    out->dtype = storage->type->dtype;
    *placement = (struct vgg_placement){
        .storage = storage, .offset = view->persistent.offset + (uint64_t)offset->integer};
    return check_extent(context, out, (uint64_t)offset->integer, view->persistent.count, limits);
}

/* Conjugated and negated views are not what their storage holds. */
static bool is_plain_metadata(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_NONE ||
           (value->kind == VGG_VALUE_DICT && value->list.count == 0);
}

static vgg_status fail_global(const struct context *context, const struct vgg_value *global,
                              const char *what)
{
    struct vgg_span module = global->global.module, name = global->global.name;
    return FAIL(context, VGG_ERR_UNSUPPORTED, "%s %.*s.%.*s is not supported", what,
                module.length > 200 ? 200 : (int)module.length, module.bytes,
                name.length > 200 ? 200 : (int)name.length, name.bytes);
}

vgg_status vgg_tensor_rebuild(const struct vgg_value *value, const char *path, const char *name,
                              const struct vgg_limits *limits, struct vgg_tensor *out,
                              struct vgg_placement *placement, struct vgg_error *err)
{
    const struct context context = {path, name, err};
    if (role_of(value) == VGG_GLOBAL_REBUILD_PARAMETER) {
        size_t count = value->object.args->list.count;
        if (count != 3 && count != 4) {
            return fail_shape(&context, "wrong number of arguments to _rebuild_parameter");
        }
        value = value->object.args->list.items[0]; /* a plain tensor */
    }
    const struct vgg_value *args = value->kind == VGG_VALUE_OBJECT ? value->object.args : NULL;
    size_t count = args != NULL ? args->list.count : 0;
    size_t least = 0, most = 0;
    switch (role_of(value)) {
    case VGG_GLOBAL_REBUILD_TENSOR:
        least = most = 4;
        break;
    case VGG_GLOBAL_REBUILD_TENSOR_V2:
        least = 6;
        most = 7;
        break;
    case VGG_GLOBAL_REBUILD_TENSOR_V3: /* only for types that have no storage class */
        if (count >= 7 && args->list.items[6]->kind == VGG_VALUE_GLOBAL) {
            return fail_global(&context, args->list.items[6], "element type");
        }
        return fail_shape(&context, "wrong arguments to _rebuild_tensor_v3");
    case VGG_GLOBAL_TENSOR: /* args are empty, the state is what set_() takes */
        args = value->object.state;
        if (count != 0 || args == NULL || args->kind != VGG_VALUE_TUPLE) {
            return fail_shape(&context, "a tensor class without its state");
        }
        count = args->list.count;
        least = most = 4;
        break;
    case VGG_GLOBAL_OTHER_TENSOR:
        return fail_global(&context, value->object.callee, "the tensor encoding");
    default:
        return FAIL(&context, VGG_ERR_FORMAT, "expected a tensor, found %s",
                    vgg_value_kind_string(value->kind));
    }
    if (count < least || count > most) {
        return FAIL(&context, VGG_ERR_FORMAT, "bad tensor: %zu arguments, expected %zu", count,
                    least);
    }
    if (count == 7 && !is_plain_metadata(args->list.items[6])) {
        return FAIL(&context, VGG_ERR_UNSUPPORTED, "%s",
                    "a conjugated or negated view is not supported");
    }
    return read_view(&context, args->list.items, value->object.callee->global.entry->element,
                     limits, out, placement);
}
