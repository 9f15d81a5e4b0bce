/* SPDX-License-Identifier: MIT */
/* The encodings of a tensor: three generations of rebuild functions, the class with BUILD state before them, and the
 * Parameters and subclasses that wrap these. */
#include "checkpoint/locate/rebuild.h"

#include <inttypes.h>

#include "base/byteorder.h"
#include "checkpoint/locate/numpy.h"
#include "checkpoint/pickle/globals.h"

/* The file and tensor that all messages here name. */
struct context {
    const struct vgg_load *load;
    const char *name; /* the tensor's */
};

#define FAIL(context, code, format, ...)                                                           \
    vgg_fail((context)->load->err, code, "%s: %s: " format, (context)->load->path,                 \
             (context)->name, __VA_ARGS__)

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
    case VGG_GLOBAL_REBUILD_FROM_TYPE:
    case VGG_GLOBAL_REBUILD_PARAMETER:
    case VGG_GLOBAL_REBUILD_FROM_ARRAY:
    case VGG_GLOBAL_PARAMETER:
    case VGG_GLOBAL_TENSOR:
    case VGG_GLOBAL_OTHER_TENSOR:
        return true;
    default:
        return false;
    }
}

bool vgg_value_is_array(const struct vgg_value *value)
{
    struct vgg_array array;
    return vgg_array_read(value, &array);
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
                               uint64_t offset, uint64_t available)
{
    const uint64_t max = context->load->limits->file_bytes;
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
    if (count > max) { /* with strides of 0, few bytes make many elements */
        return FAIL(context, VGG_ERR_LIMIT, "%" PRIu64 " elements, limit is %" PRIu64, count, max);
    }
    return VGG_OK;
}

/* A tensor as a call, or as a class with its state. */
struct encoding {
    const struct vgg_value *callee; /* a GLOBAL */
    const struct vgg_value *args;   /* a TUPLE */
    const struct vgg_value *state;  /* the state that BUILD sets, or NULL */
};

static enum vgg_global_role role_in(const struct encoding *encoding)
{
    return encoding->callee->global.entry->role;
}

static vgg_status fail_global(const struct context *context, const struct vgg_value *global,
                              const char *what, const char *advice)
{
    struct vgg_span module = global->global.module, name = global->global.name;
    return FAIL(context, VGG_ERR_UNSUPPORTED, "%s (%.*s.%.*s) %s", what,
                VGG_SHOWN(module.bytes, module.length, 200),
                VGG_SHOWN(name.bytes, name.length, 200), advice);
}

/* Refuses tensors that cannot be read, by the function that rebuilds them. */
static vgg_status fail_encoding(const struct context *context, const struct vgg_value *global)
{
    static const struct {
        const char *name, *what, *advice;
    } known[] = {
        {"_rebuild_qtensor", "a quantised tensor",
         "is not supported: save the float model that it was made from"},
        {"_rebuild_sparse_tensor", "a sparse tensor", "is not supported: save it with to_dense()"},
        {"_rebuild_sparse_csr_tensor", "a sparse tensor",
         "is not supported: save it with to_dense()"},
        {"_rebuild_meta_tensor_no_storage", "a tensor on the device 'meta'", "has no data"},
        {"_rebuild_wrapper_subclass", "a distributed tensor (DTensor) or another subclass",
         "is not supported: gather it with full_tensor() before it is saved"},
        {"DTensor", "a distributed tensor",
         "is not supported: gather it with full_tensor() before it is saved"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (vgg_span_equals(global->global.name, known[i].name)) {
            return fail_global(context, global, known[i].what, known[i].advice);
        }
    }
    return fail_global(context, global, "a tensor's encoding", "is not supported");
}

/* Finds the tensor inside Parameters and subclasses. */
static vgg_status unwrap(const struct context *context, const struct vgg_value *value,
                         struct encoding *out)
{
    enum { WRAPPERS_MAX = 8 };
    for (int i = 0; i < WRAPPERS_MAX; i++) {
        if (!vgg_value_is_tensor(value)) {
            return FAIL(context, VGG_ERR_FORMAT, "expected a tensor, found %s",
                        vgg_value_kind_string(value->kind));
        }
        *out = (struct encoding){value->object.callee, value->object.args, value->object.state};
        size_t count = out->args->list.count;
        struct vgg_value *const *items = out->args->list.items;
        if (role_in(out) == VGG_GLOBAL_REBUILD_FROM_TYPE) {
            if (count != 4 || items[0]->kind != VGG_VALUE_GLOBAL ||
                items[2]->kind != VGG_VALUE_TUPLE) {
                return fail_shape(context, "wrong arguments to _rebuild_from_type_v2");
            }
            *out = (struct encoding){items[0], items[2], NULL};
            count = out->args->list.count;
            items = out->args->list.items;
        }
        switch (role_in(out)) {
        case VGG_GLOBAL_REBUILD_PARAMETER:
            if (count != 3 && count != 4) {
                return fail_shape(context, "wrong number of arguments to _rebuild_parameter");
            }
            break;
        case VGG_GLOBAL_PARAMETER:
            if (count == 0) {
                return fail_shape(context, "a Parameter without its tensor");
            }
            break;
        default:
            return VGG_OK;
        }
        value = items[0];
    }
    return fail_shape(context, "too many Parameters inside each other");
}

/* The type of a view's elements. For a storage without a type, version 3 of the encoding holds it. */
static vgg_status read_type(const struct context *context, const struct encoding *encoding,
                            const struct vgg_element_type *own, const struct vgg_element_type **out)
{
    const char *suffix = "Storage";
    *out = own;
    if (role_in(encoding) == VGG_GLOBAL_TENSOR) {
        const struct vgg_element_type *asked = encoding->callee->global.entry->element;
        if (asked != own) {
            return FAIL(context, VGG_ERR_FORMAT, "bad tensor: a %sTensor in a %sStorage",
                        asked->name, own->name);
        }
    } else if (role_in(encoding) == VGG_GLOBAL_REBUILD_TENSOR_V3) {
        const struct vgg_value *dtype = encoding->args->list.items[6];
        if (dtype->kind != VGG_VALUE_GLOBAL || dtype->global.entry->role != VGG_GLOBAL_DTYPE) {
            return FAIL(context, VGG_ERR_FORMAT, "bad tensor: expected an element type, found %s",
                        vgg_value_kind_string(dtype->kind));
        }
        *out = dtype->global.entry->element;
        suffix = "";
    }
    if (!(*out)->supported) {
        return FAIL(context, VGG_ERR_UNSUPPORTED, "elements of torch.%s%s are not supported",
                    (*out)->name, suffix);
    }
    return VGG_OK;
}

/* (storage, offset, size, stride, …) */
static vgg_status read_view(const struct context *context, const struct encoding *encoding,
                            struct vgg_value *const *items, struct vgg_tensor *out,
                            struct vgg_placement *placement)
{
    const struct vgg_value *view = items[0], *offset = items[1];
    const struct vgg_element_type *type;
    int stride_count;
    if (view->kind != VGG_VALUE_PERSISTENT || view->persistent.storage == NULL) {
        return FAIL(context, VGG_ERR_FORMAT, "bad tensor: expected a storage, found %s",
                    vgg_value_kind_string(view->kind));
    }
    if (offset->kind != VGG_VALUE_INT || offset->integer < 0) {
        return fail_shape(context, "the offset is negative or not an integer");
    }
    struct vgg_storage *storage = view->persistent.storage;
    if (storage->meta) {
        return FAIL(context, VGG_ERR_UNSUPPORTED, "%s",
                    "a tensor on the device 'meta' has no data");
    }
    vgg_status status = read_type(context, encoding, storage->type, &type);
    if (status == VGG_OK) {
        status = read_dims(context, items[2], "size", out->shape, &out->ndim);
    }
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
    out->dtype = type->dtype;
    const uint64_t first = (uint64_t)offset->integer;
    const uint64_t bytes =
        view->persistent.count * storage->type->bytes; /* does not overflow: see storage.c */
    status = check_extent(context, out, first, bytes / type->bytes);
    /* No offset overflows inside the storage, because its size in bytes does not. */
    *placement = (struct vgg_placement){.storage = storage,
                                        .offset = view->persistent.offset * storage->type->bytes +
                                                  first * type->bytes};
    return status;
}

/* Whether the storage holds the values themselves: those of conjugated and negated views differ. */
static bool is_plain_metadata(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_NONE ||
           (value->kind == VGG_VALUE_DICT && value->list.count == 0);
}

/* ---- arrays of NumPy ---- */

/* The storage type with elements of an array's; NULL: there is none. */
static const struct vgg_element_type *find_array_type(const struct vgg_array_type *type)
{
    static const struct {
        char kind;
        size_t bytes;
        const char *storage;
    } known[] = {
        {'f', 2, "HalfStorage"}, {'f', 4, "FloatStorage"}, {'f', 8, "DoubleStorage"},
        {'i', 1, "CharStorage"}, {'i', 2, "ShortStorage"}, {'i', 4, "IntStorage"},
        {'i', 8, "LongStorage"}, {'u', 1, "ByteStorage"},  {'b', 1, "BoolStorage"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct vgg_span name = {known[i].storage, (uint32_t)strlen(known[i].storage)};
        if (type->kind == known[i].kind && type->item_bytes == known[i].bytes) {
            return vgg_global_find((struct vgg_span){"torch", 5}, name)->element;
        }
    }
    return NULL;
}

/* Sets shape and strides, and returns the number of elements. */
static uint64_t set_strides(const struct vgg_array *array, struct vgg_tensor *out)
{
    int64_t stride = 1;
    bool empty = false;
    for (int i = 0; i < array->ndim; i++) {
        const int d = array->fortran ? i : array->ndim - 1 - i;
        out->shape[d] = array->shape[d];
        out->stride[d] = stride;
        /* Too large a product is found with the extent: the data of an array have fewer bytes. */
        if (array->shape[d] > 0 && __builtin_mul_overflow(stride, array->shape[d], &stride)) {
            stride = INT64_MAX;
        }
        empty = empty || array->shape[d] == 0;
    }
    out->ndim = array->ndim;
    return empty ? 0 : (uint64_t)stride;
}

static vgg_status read_array(const struct context *context, const struct vgg_value *value,
                             struct vgg_tensor *out, struct vgg_placement *placement)
{
    const struct vgg_load *load = context->load;
    struct vgg_array array;
    const struct vgg_element_type *type =
        vgg_array_read(value, &array) ? find_array_type(&array.type) : NULL;
    if (type == NULL) {
        return FAIL(context, VGG_ERR_UNSUPPORTED, "%s",
                    "an array of NumPy, expected one of numbers");
    }
    struct vgg_storage *storage = vgg_load_alloc(load, 1, sizeof *storage);
    if (storage == NULL || !vgg_array_decode(array.data, load->arena)) {
        return vgg_load_fail_memory(load, sizeof *storage, context->name);
    }
    if (array.data->kind != VGG_VALUE_BYTES) {
        return fail_shape(context, "an array of NumPy without bytes");
    }
    *storage = (struct vgg_storage){.type = type,
                                    .count = array.data->text.length / type->bytes,
                                    .bytes = array.data->text.length,
                                    .data = (const uint8_t *)array.data->text.bytes,
                                    .file_offset = VGG_NO_OFFSET,
                                    .swapped = array.type.big == vgg_host_is_little()};
    const uint64_t count = set_strides(&array, out);
    out->dtype = type->dtype;
    *placement = (struct vgg_placement){.storage = storage};
    if (count > UINT64_MAX / type->bytes || count * type->bytes != storage->bytes) {
        return FAIL(context, VGG_ERR_FORMAT,
                    "bad array of NumPy: %" PRIu64 " elements of %zu bytes in %" PRIu64 " bytes",
                    count, (size_t)type->bytes, (uint64_t)storage->bytes);
    }
    return check_extent(context, out, 0, storage->count);
}

vgg_status vgg_tensor_rebuild(const struct vgg_load *load, const struct vgg_value *value,
                              const char *name, struct vgg_tensor *out,
                              struct vgg_placement *placement)
{
    const struct context context = {load, name};
    struct encoding encoding = {0};
    if (vgg_value_is_array(value)) {
        return read_array(&context, value, out, placement);
    }
    vgg_status status = unwrap(&context, value, &encoding);
    if (status != VGG_OK) {
        return status;
    }
    const struct vgg_value *args = encoding.args;
    size_t min = 4, max = 4;
    switch (role_in(&encoding)) {
    case VGG_GLOBAL_REBUILD_TENSOR:
        break;
    case VGG_GLOBAL_REBUILD_TENSOR_V2:
        min = 6;
        max = 7;
        break;
    case VGG_GLOBAL_REBUILD_TENSOR_V3:
        min = 7;
        max = 8;
        break;
    case VGG_GLOBAL_REBUILD_FROM_ARRAY:
        return args->list.count == 4
                   ? read_array(&context, args->list.items[0], out, placement)
                   : fail_shape(&context, "wrong number of arguments to rebuild an array");
    case VGG_GLOBAL_TENSOR: /* without arguments; the state is the arguments of set_() */
        if (args->list.count != 0 || encoding.state == NULL ||
            encoding.state->kind != VGG_VALUE_TUPLE) {
            return fail_shape(&context, "a tensor class without its state");
        }
        args = encoding.state;
        break;
    default:
        return fail_encoding(&context, encoding.callee);
    }
    size_t count = args->list.count;
    if (count < min || count > max) {
        return FAIL(&context, VGG_ERR_FORMAT, "bad tensor: %zu arguments, expected %zu", count,
                    min);
    }
    if (count == max && max > min && !is_plain_metadata(args->list.items[max - 1])) {
        return FAIL(&context, VGG_ERR_UNSUPPORTED, "%s",
                    "a conjugated or negated view is not supported");
    }
    return read_view(&context, &encoding, args->list.items, out, placement);
}
