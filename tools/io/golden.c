/* SPDX-License-Identifier: MIT */
/* The folder that tools/scripts/golden.py writes: what torchvision computed. */
#include "io/golden.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/message.h"
#include "vgg/file.h"

enum { MAX_JSON_BYTES = 1024 * 1024 };

static const char *get_string(const cJSON *json, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static vgg_status read_images(struct golden *golden, const char *path, struct vgg_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(golden->json, "images");
    const cJSON *item;
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    golden->images = calloc((size_t)count + 1, sizeof *golden->images);
    if (golden->images == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "%s: out of memory", path);
    }
    cJSON_ArrayForEach(item, list)
    {
        const char *image = cJSON_GetStringValue(item);
        if (image == NULL || golden->image_count == count) {
            return message_fail(err, VGG_ERR_FORMAT, "%s: images: expected a list of names", path);
        }
        golden->images[golden->image_count++] = image;
    }
    return VGG_OK;
}

vgg_status golden_open(const char *folder, struct golden *out, struct vgg_error *err)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t length = 0;
    struct vgg_error reason = {0};
    *out = (struct golden){0};
    snprintf(path, sizeof path, "%s/golden.json", folder);
    vgg_status status = vgg_small_file_read(path, MAX_JSON_BYTES, &text, &length, &reason);
    if (status != VGG_OK) {
        const bool absent = reason.sys_errno == ENOENT;
        *err = absent ? *err : reason;
        return absent ? VGG_OK : status;
    }
    out->json = cJSON_ParseWithLength(text, length);
    if (!cJSON_IsObject(out->json)) {
        status = message_fail(err, VGG_ERR_FORMAT, "%s: expected a JSON object", path);
        goto done;
    }
    out->torch = get_string(out->json, "torch");
    out->torchvision = get_string(out->json, "torchvision");
    out->net = get_string(out->json, "net");
    out->preset = get_string(out->json, "preset");
    status = read_images(out, path, err);
done:
    free(text);
    if (status != VGG_OK) {
        golden_close(out);
    }
    return status;
}

void golden_close(struct golden *golden)
{
    cJSON_Delete(golden->json);
    free(golden->images);
    *golden = (struct golden){0};
}
