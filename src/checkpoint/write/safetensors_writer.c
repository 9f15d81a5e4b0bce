/* SPDX-License-Identifier: MIT */
/* Writes a safetensors file: the length of a JSON header in 8 bytes, the header, the tensors without gaps. */
#include "checkpoint/write/safetensors_writer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "checkpoint/container/entries.h"
#include "checkpoint/write/elements.h"

static void add_entry(struct vgg_bytes *json, const struct vgg_tensor *tensor, uint64_t offset)
{
    char text[96];
    vgg_bytes_add(json, ",", 1);
    vgg_bytes_add_string(json, tensor->name);
    vgg_bytes_add_text(json, ":{\"dtype\":\"");
    vgg_bytes_add_text(json, vgg_entry_get_type_name(tensor->dtype));
    vgg_bytes_add_text(json, "\",\"shape\":[");
    for (int i = 0; i < tensor->ndim; i++) {
        snprintf(text, sizeof text, "%s%" PRIi64, i > 0 ? "," : "", tensor->shape[i]);
        vgg_bytes_add_text(json, text);
    }
    snprintf(text, sizeof text, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", offset,
             offset + vgg_tensor_get_bytes(tensor));
    vgg_bytes_add_text(json, text);
}

static void put(void *user, const void *bytes, size_t count)
{
    vgg_outfile_write(user, bytes, count);
}

vgg_status vgg_write_safetensors(const struct vgg_checkpoint *checkpoint, struct vgg_outfile *out,
                                 struct vgg_error *err)
{
    enum { ALIGN = 64 };
    const struct vgg_state_dict *dict = &checkpoint->dict;
    struct vgg_bytes json = {.ok = true, .allocator = vgg_allocator_of(&checkpoint->context)};
    uint64_t offset = 0;
    vgg_bytes_add_text(&json, "{\"__metadata__\":{\"format\":\"pt\"}");
    /* The widest elements first, so that all are aligned without gaps. */
    for (size_t bytes = 8; bytes > 0; bytes /= 2) {
        for (size_t i = 0; i < dict->count; i++) {
            if (vgg_dtype_get_bytes(dict->tensors[i].dtype) == bytes) {
                add_entry(&json, &dict->tensors[i], offset);
                offset += vgg_tensor_get_bytes(&dict->tensors[i]);
            }
        }
    }
    vgg_bytes_add(&json, "}", 1);
    while (json.ok && (json.size + 8) % ALIGN != 0) {
        vgg_bytes_add(&json, " ", 1);
    }
    if (!json.ok) {
        vgg_mem_free(json.allocator, json.data);
        return vgg_fail_memory(err, out->path, json.size, "the header");
    }
    uint8_t little[8];
    for (unsigned i = 0; i < 8; i++) {
        little[i] = (uint8_t)((uint64_t)json.size >> (8 * i));
    }
    vgg_outfile_write(out, little, sizeof little);
    vgg_outfile_write(out, json.data, json.size);
    vgg_mem_free(json.allocator, json.data);
    for (size_t bytes = 8; bytes > 0; bytes /= 2) {
        for (size_t i = 0; i < dict->count; i++) {
            if (vgg_dtype_get_bytes(dict->tensors[i].dtype) == bytes) {
                vgg_tensor_write(&dict->tensors[i], put, out);
            }
        }
    }
    return VGG_OK;
}
