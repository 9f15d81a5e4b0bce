/* SPDX-License-Identifier: MIT */
/* vgg-infer info --tensors: the tensors in the file. */
#include <inttypes.h>

#include "report/info_report.h"
#include "report/table.h"

/* "64 × 3 × 3 × 3"; nothing for a scalar. */
static void format_dims(const int64_t *dims, int count, const char *separator, char *out,
                        size_t bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < count && used < bytes; i++) {
        used += (size_t)snprintf(out + used, bytes - used, "%s%" PRId64, i > 0 ? separator : "",
                                 dims[i]);
    }
}

bool info_write_tensors(const struct info *info, FILE *out)
{
    struct table table = {.columns = "<tensor<type>shape>strides>bytes>at byte"};
    for (size_t i = 0; i < vgg_checkpoint_get_tensor_count(info->checkpoint); i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(info->checkpoint, i);
        char text[VGG_MAX_DIMS * 24];
        table_add(&table, "%s", tensor->name);
        table_add(&table, "%s", vgg_dtype_string(tensor->dtype));
        format_dims(tensor->shape, tensor->ndim, " × ", text, sizeof text);
        table_add(&table, "%s", text);
        format_dims(tensor->stride, tensor->ndim, ", ", text, sizeof text);
        table_add(&table, "%s",
                  tensor->layout == VGG_LAYOUT_ROWS ? text : vgg_layout_string(tensor->layout));
        table_add(&table, "%" PRId64,
                  vgg_tensor_get_count(tensor) * (int64_t)vgg_dtype_get_bytes(tensor->dtype));
        if (tensor->file_offset != VGG_NO_OFFSET) {
            table_add(&table, "%" PRIu64, tensor->file_offset);
        } else if (tensor->layout == VGG_LAYOUT_PREPACKED) {
            table_add(&table, "%s", "not plain");
        } else {
            table_add(&table, "%s", "not as is");
        }
    }
    for (size_t i = 0; i < vgg_checkpoint_get_ready_count(info->checkpoint); i++) {
        struct vgg_ready_info ready;
        char text[32];
        vgg_checkpoint_get_ready(info->checkpoint, i, &ready);
        snprintf(text, sizeof text, ready.m > 0 ? "F(%d)" : "direct", ready.m);
        table_add(&table, "%s", ready.name);
        table_add(&table, "%s", "float32");
        table_add(&table, "prepacked: %s", text);
        table_add(&table, "in groups of %d", ready.group);
        table_add(&table, "%" PRIu64, ready.bytes);
        table_add(&table, "%" PRIu64, ready.file_offset);
    }
    return table_finish(&table, out);
}

static void write_dims(struct json *json, const char *key, const int64_t *dims, int count)
{
    json_open_array(json, key, true);
    for (int i = 0; i < count; i++) {
        json_integer(json, NULL, dims[i]);
    }
    json_close_array(json);
}

void info_write_tensors_json(const struct info *info, struct json *json)
{
    json_open_array(json, "tensors", false);
    for (size_t i = 0; i < vgg_checkpoint_get_tensor_count(info->checkpoint); i++) {
        const struct vgg_tensor *tensor = vgg_checkpoint_get_tensor(info->checkpoint, i);
        json_open_object(json, NULL, true);
        json_string(json, "name", tensor->name);
        json_string(json, "dtype", vgg_dtype_string(tensor->dtype));
        write_dims(json, "shape", tensor->shape, tensor->ndim);
        json_string(json, "layout", vgg_layout_string(tensor->layout));
        write_dims(json, "strides", tensor->stride,
                   tensor->layout == VGG_LAYOUT_ROWS ? tensor->ndim : 0);
        if (tensor->file_offset != VGG_NO_OFFSET) {
            json_integer(json, "offset", (int64_t)tensor->file_offset);
        } else {
            json_string(json, "offset", NULL);
        }
        json_close_object(json);
    }
    json_close_array(json);
    if (vgg_checkpoint_get_ready_count(info->checkpoint) > 0) {
        json_open_array(json, "prepacked", false);
        for (size_t i = 0; i < vgg_checkpoint_get_ready_count(info->checkpoint); i++) {
            struct vgg_ready_info ready;
            vgg_checkpoint_get_ready(info->checkpoint, i, &ready);
            json_open_object(json, NULL, true);
            json_string(json, "name", ready.name);
            json_string(json, "order", ready.order);
            json_integer(json, "m", ready.m);
            json_integer(json, "group", ready.group);
            json_integer(json, "channels", ready.channels);
            json_integer(json, "bytes", (int64_t)ready.bytes);
            json_integer(json, "offset", (int64_t)ready.file_offset);
            json_close_object(json);
        }
        json_close_array(json);
    }
}
