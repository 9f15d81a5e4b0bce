/* SPDX-License-Identifier: MIT */
/* Writes what torch.save writes: archive/data.pkl, archive/data/KEY for each tensor, archive/version.
 *
 * The pickle is an OrderedDict whose values are _rebuild_tensor_v2(storage, 0, size, stride, False,
 * OrderedDict()). It uses no memo, so that each tensor's part of it is independent of the others. */
#include "checkpoint/write/pth_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "checkpoint/write/elements.h"
#include "checkpoint/write/zip_writer.h"

#define ORDERED_DICT "ccollections\nOrderedDict\n)R"

/* The storage class, or NULL for element types that have none. */
static const char *storage_class(enum vgg_dtype dtype)
{
    switch (dtype) {
    case VGG_DTYPE_F32:
        return "FloatStorage";
    case VGG_DTYPE_F64:
        return "DoubleStorage";
    case VGG_DTYPE_F16:
        return "HalfStorage";
    case VGG_DTYPE_BF16:
        return "BFloat16Storage";
    case VGG_DTYPE_I64:
        return "LongStorage";
    case VGG_DTYPE_I32:
        return "IntStorage";
    case VGG_DTYPE_I16:
        return "ShortStorage";
    case VGG_DTYPE_I8:
        return "CharStorage";
    case VGG_DTYPE_U8:
        return "ByteStorage";
    case VGG_DTYPE_BOOL:
        return "BoolStorage";
    default:
        return NULL;
    }
}

static void add_text(struct vgg_bytes *pickle, const char *text)
{
    vgg_bytes_add(pickle, "X", 1);
    vgg_bytes_add_le(pickle, strlen(text), 4);
    vgg_bytes_add_text(pickle, text);
}

/* As Python writes it: the shortest form. */
static void add_int(struct vgg_bytes *pickle, int64_t value)
{
    if (value <= UINT8_MAX) {
        vgg_bytes_add(pickle, "K", 1);
        vgg_bytes_add_le(pickle, (uint64_t)value, 1);
    } else if (value <= UINT16_MAX) {
        vgg_bytes_add(pickle, "M", 1);
        vgg_bytes_add_le(pickle, (uint64_t)value, 2);
    } else if (value <= INT32_MAX) {
        vgg_bytes_add(pickle, "J", 1);
        vgg_bytes_add_le(pickle, (uint64_t)value, 4);
    } else {
        vgg_bytes_add(pickle, "\x8a\x08", 2);
        vgg_bytes_add_le(pickle, (uint64_t)value, 8);
    }
}

static void add_tensor(struct vgg_bytes *pickle, const struct vgg_tensor *tensor, size_t key)
{
    char digits[24];
    int64_t stride[VGG_MAX_DIMS], step = 1;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        stride[i] = step;
        step *= tensor->shape[i] > 0 ? tensor->shape[i] : 1;
    }
    add_text(pickle, tensor->name);
    vgg_bytes_add_text(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_text(pickle, "storage");
    vgg_bytes_add_text(pickle, "ctorch\n");
    vgg_bytes_add_text(pickle, storage_class(tensor->dtype));
    vgg_bytes_add_text(pickle, "\n");
    snprintf(digits, sizeof digits, "%zu", key);
    add_text(pickle, digits);
    add_text(pickle, "cpu");
    add_int(pickle, vgg_tensor_get_count(tensor));
    vgg_bytes_add_text(pickle, "tQK");
    vgg_bytes_add(pickle, "\0(", 2); /* the offset, 0 */
    for (int i = 0; i < tensor->ndim; i++) {
        add_int(pickle, tensor->shape[i]);
    }
    vgg_bytes_add_text(pickle, "t(");
    for (int i = 0; i < tensor->ndim; i++) {
        add_int(pickle, stride[i]);
    }
    vgg_bytes_add_text(pickle, "t\x89" ORDERED_DICT "tR");
}

static void add_member(struct vgg_zip_writer *zip, const char *name, const void *bytes,
                       size_t count)
{
    vgg_zip_writer_begin(zip, name, count);
    vgg_zip_writer_add(zip, bytes, count);
    vgg_zip_writer_end(zip, name);
}

vgg_status vgg_write_pth(const struct vgg_checkpoint *checkpoint, struct vgg_outfile *out,
                         struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(&checkpoint->context);
    const struct vgg_state_dict *dict = &checkpoint->dict;
    struct vgg_bytes pickle = {.ok = true, .allocator = allocator};
    struct vgg_zip_writer zip;
    vgg_status status = VGG_OK;
    char name[64];
    for (size_t i = 0; i < dict->count; i++) {
        if (storage_class(dict->tensors[i].dtype) == NULL) {
            return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                            "%s: %s: %s has no storage class in a .pth file; write .safetensors",
                            out->path, dict->tensors[i].name,
                            vgg_dtype_string(dict->tensors[i].dtype));
        }
    }
    vgg_bytes_add_text(&pickle, "\x80\x02" ORDERED_DICT "(");
    for (size_t i = 0; i < dict->count; i++) {
        add_tensor(&pickle, &dict->tensors[i], i);
    }
    vgg_bytes_add_text(&pickle, "u.");
    vgg_zip_writer_init(&zip, out, allocator);
    if (pickle.ok) {
        add_member(&zip, "archive/data.pkl", pickle.data, pickle.size);
        add_member(&zip, "archive/byteorder", "little", 6);
        for (size_t i = 0; i < dict->count; i++) {
            snprintf(name, sizeof name, "archive/data/%zu", i);
            vgg_zip_writer_begin(&zip, name, vgg_tensor_get_bytes(&dict->tensors[i]));
            vgg_tensor_write(&dict->tensors[i], vgg_zip_writer_add, &zip);
            vgg_zip_writer_end(&zip, name);
        }
        add_member(&zip, "archive/version", "3\n", 2);
    }
    if (!vgg_zip_writer_finish(&zip) || !pickle.ok) {
        status = vgg_fail_memory(err, out->path, pickle.size, "the pickle and the directory");
    }
    vgg_mem_free(allocator, pickle.data);
    return status;
}
