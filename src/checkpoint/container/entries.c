/* SPDX-License-Identifier: MIT */
/* Makes the values and storages of a container from a list of tensors. */
#include "checkpoint/container/entries.h"

#include "base/byteorder.h"

/* The size is right even for types that are not supported. */
static const struct vgg_element_type types[] = {
    {"F32", true, VGG_DTYPE_F32, 4},         {"F64", true, VGG_DTYPE_F64, 8},
    {"F16", true, VGG_DTYPE_F16, 2},         {"BF16", true, VGG_DTYPE_BF16, 2},
    {"F8_E4M3", true, VGG_DTYPE_F8_E4M3, 1}, {"F8_E5M2", true, VGG_DTYPE_F8_E5M2, 1},
    {"I64", true, VGG_DTYPE_I64, 8},         {"I32", true, VGG_DTYPE_I32, 4},
    {"I16", true, VGG_DTYPE_I16, 2},         {"I8", true, VGG_DTYPE_I8, 1},
    {"U8", true, VGG_DTYPE_U8, 1},           {"BOOL", true, VGG_DTYPE_BOOL, 1},
    {"U16", false, VGG_DTYPE_U8, 2},         {"U32", false, VGG_DTYPE_U8, 4},
    {"U64", false, VGG_DTYPE_U8, 8},         {"C64", false, VGG_DTYPE_F32, 8},
    {"F8_E8M0", false, VGG_DTYPE_U8, 1},
};

const struct vgg_element_type *vgg_entry_find_type(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return &types[i];
        }
    }
    return NULL;
}

const char *vgg_entry_get_type_name(enum vgg_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].supported && types[i].dtype == dtype) {
            return types[i].name;
        }
    }
    return NULL;
}

struct vgg_json_bounds vgg_entries_bound_json(const struct vgg_limits *limits,
                                              uint32_t values_per_tensor, uint32_t depth)
{
    const uint64_t values = (uint64_t)limits->tensors * values_per_tensor;
    return (struct vgg_json_bounds){.depth = depth,
                                    .values = values > UINT32_MAX ? UINT32_MAX : (uint32_t)values};
}

vgg_status vgg_entries_make_dict(const struct vgg_archive *archive,
                                 struct vgg_tensor_entry *entries, size_t count,
                                 struct vgg_pickle *pickle, struct vgg_storages *storages)
{
    struct vgg_value *values = vgg_load_alloc(&archive->load, 1 + 2 * count, sizeof *values);
    struct vgg_value **items = vgg_load_alloc(&archive->load, 2 * count, sizeof *items);
    struct vgg_storage *blocks = vgg_load_alloc(&archive->load, count, sizeof *blocks);
    bool memory = values != NULL && items != NULL && blocks != NULL;
    for (size_t i = 0; memory && i < count; i++) {
        struct vgg_tensor_entry *tensor = &entries[i];
        const bool missing = tensor->layout == VGG_LAYOUT_PREPACKED;
        blocks[i] = (struct vgg_storage){
            .key = tensor->name,
            .type = tensor->type,
            .count = tensor->bytes / tensor->type->bytes,
            .bytes = tensor->bytes,
            .data = missing ? NULL : archive->file->data + tensor->offset,
            .file_offset = missing ? VGG_NO_OFFSET : tensor->offset,
            .swapped = !vgg_host_is_little(),
            .layout = tensor->layout,
        };
        tensor->view.storage = &blocks[i];
        tensor->view.part_count = blocks[i].count;
        vgg_tensor_view_set_contiguous(&tensor->view);
        items[2 * i] = &values[1 + 2 * i];
        items[2 * i + 1] = &values[2 + 2 * i];
        *items[2 * i] = (struct vgg_value){.kind = VGG_VALUE_TEXT, .text = tensor->name};
        memory = vgg_tensor_value_make(&tensor->view, archive->load.arena, items[2 * i + 1]);
    }
    if (!memory) {
        return vgg_load_fail_memory(&archive->load, count * sizeof *values, "the tensors");
    }
    values[0].kind = VGG_VALUE_DICT;
    values[0].list.items = items;
    values[0].list.count = values[0].list.capacity = 2 * count;
    *pickle = (struct vgg_pickle){.root = &values[0]};
    *storages = (struct vgg_storages){.items = blocks, .count = count};
    return VGG_OK;
}
