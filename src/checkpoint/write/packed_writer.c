/* SPDX-License-Identifier: MIT */
/* Writes a packed file. The directory comes last, when offsets and CRCs are known; then the header is filled in. */
#include "checkpoint/write/packed_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

#include "checkpoint/container/entries.h"
#include "checkpoint/container/packed_format.h"
#include "checkpoint/write/elements.h"

/* Zeros up to the next page. */
static void pad(struct vgg_outfile *out)
{
    static const uint8_t zeros[VGG_PACKED_PAGE_BYTES];
    vgg_outfile_write(out, zeros, (size_t)(-out->offset % VGG_PACKED_PAGE_BYTES));
}

static uint32_t add_crc(uint32_t crc, const void *data, size_t count)
{
    return (uint32_t)crc32_z(crc, data, count);
}

void vgg_packed_begin(struct vgg_packed_writer *writer, struct vgg_outfile *out,
                      const struct vgg_allocator *allocator)
{
    static const uint8_t header[VGG_PACKED_HEADER_BYTES];
    *writer =
        (struct vgg_packed_writer){.out = out, .directory = {.ok = true, .allocator = allocator}};
    vgg_outfile_write(out, header, sizeof header);
    vgg_bytes_add_text(&writer->directory, "{\"tensors\":[");
}

/* layout  in JSON: its name, and the fields of an order */
static void begin(struct vgg_packed_writer *writer, const struct vgg_packed_tensor *tensor,
                  const char *layout)
{
    struct vgg_bytes *json = &writer->directory;
    char text[128];
    pad(writer->out);
    vgg_bytes_add_text(json,
                       writer->out->offset > VGG_PACKED_PAGE_BYTES ? ",{\"name\":" : "{\"name\":");
    vgg_bytes_add_string(json, tensor->name);
    snprintf(text, sizeof text, ",\"dtype\":\"%s\",\"layout\":%s,\"shape\":[",
             vgg_entry_get_type_name(tensor->dtype), layout);
    vgg_bytes_add_text(json, text);
    for (int i = 0; i < tensor->ndim; i++) {
        snprintf(text, sizeof text, "%s%" PRIi64, i > 0 ? "," : "", tensor->shape[i]);
        vgg_bytes_add_text(json, text);
    }
    snprintf(text, sizeof text, "],\"offset\":%" PRIu64, writer->out->offset);
    vgg_bytes_add_text(json, text);
    writer->dtype = tensor->dtype;
    writer->crc = 0;
}

void vgg_packed_begin_tensor(struct vgg_packed_writer *writer,
                             const struct vgg_packed_tensor *tensor)
{
    char text[32];
    snprintf(text, sizeof text, "\"%s\"", vgg_layout_string(tensor->layout));
    begin(writer, tensor, text);
}

void vgg_packed_begin_prepacked(struct vgg_packed_writer *writer,
                                const struct vgg_packed_tensor *tensor,
                                const struct vgg_order_info *info)
{
    char m[16] = "", text[96];
    if (info->order == VGG_ORDER_WINOGRAD) {
        snprintf(m, sizeof m, ",\"m\":%d", info->m);
    }
    snprintf(text, sizeof text, "\"%s\",\"group\":%d,\"channels\":%d%s",
             vgg_order_string(info->order), info->group, info->channels, m);
    begin(writer, tensor, text);
}

static void put(void *user, const void *bytes, size_t count)
{
    struct vgg_packed_writer *writer = user;
    writer->crc = add_crc(writer->crc, bytes, count);
    vgg_outfile_write(writer->out, bytes, count);
}

void vgg_packed_add(struct vgg_packed_writer *writer, const void *elements, size_t count)
{
    const struct vgg_tensor tensor = {.dtype = writer->dtype,
                                      .ndim = 1,
                                      .shape = {(int64_t)count},
                                      .stride = {1},
                                      .data = elements};
    vgg_tensor_write(&tensor, put, writer);
}

void vgg_packed_end_tensor(struct vgg_packed_writer *writer)
{
    char text[40];
    snprintf(text, sizeof text, ",\"crc32\":%" PRIu32 "}", writer->crc);
    vgg_bytes_add_text(&writer->directory, text);
}

bool vgg_packed_finish(struct vgg_packed_writer *writer, const struct vgg_bytes *description)
{
    struct vgg_bytes *json = &writer->directory;
    struct vgg_bytes header = {.ok = true, .allocator = json->allocator};
    vgg_bytes_add_text(json, "]}\n");
    bool good = json->ok && description != NULL && description->ok;
    if (good) {
        pad(writer->out);
        const uint64_t offset = writer->out->offset;
        vgg_outfile_write(writer->out, description->data, description->size);
        vgg_outfile_write(writer->out, json->data, json->size);
        vgg_bytes_add(&header, VGG_PACKED_MAGIC, 8);
        vgg_bytes_add_le(&header, VGG_PACKED_VERSION, 4);
        vgg_bytes_add_le(&header, VGG_PACKED_PAGE_BYTES, 4);
        vgg_bytes_add_le(&header, writer->out->offset, 8);
        vgg_bytes_add_le(&header, offset, 8);
        vgg_bytes_add_le(&header, description->size, 8);
        vgg_bytes_add_le(&header, json->size, 8);
        vgg_bytes_add_le(&header, add_crc(0, description->data, description->size), 4);
        vgg_bytes_add_le(&header, add_crc(0, json->data, json->size), 4);
        vgg_bytes_add_le(&header, 0, 4);
        if (header.ok) {
            vgg_bytes_add_le(&header, add_crc(0, header.data, header.size), 4);
        }
        good = header.ok;
    }
    if (good) {
        vgg_outfile_patch(writer->out, 0, header.data, header.size);
    }
    vgg_mem_free(json->allocator, header.data);
    vgg_mem_free(json->allocator, json->data);
    *json = (struct vgg_bytes){0};
    return good;
}
