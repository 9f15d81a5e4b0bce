/* SPDX-License-Identifier: MIT */
/* Parses JSON with cJSON, and adds limits and strictness. */
#include "base/json.h"

#include <math.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

static const cJSON *item_of(const struct vgg_json *value)
{
    return (const cJSON *)value;
}

static const struct vgg_json *value_of(const cJSON *item)
{
    return (const struct vgg_json *)item;
}

static vgg_status fail_syntax(const struct vgg_load *load, size_t at)
{
    return vgg_fail_at(load->err, VGG_ERR_FORMAT, at, "%s: this is not JSON", load->path);
}

/* Checks the text before cJSON, which recurses on lists and objects and allocates memory for every value. */
static vgg_status check_text(const struct vgg_load *load, const char *text, size_t size,
                             const struct vgg_json_bounds *bounds)
{
    bool quoted = false;
    uint32_t depth = 0, values = 1; /* a value is the first, or follows a bracket or a comma */
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' && (quoted || (c != '\t' && c != '\r' && c != '\n'))) {
            return fail_syntax(load, i);
        }
        if (c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            if (c == '\\' && size - i > 5 && memcmp(text + i, "\\u0000", 6) == 0) {
                return fail_syntax(load, i);
            }
            i += c == '\\'; /* and the character that it escapes */
        } else if (c == '{' || c == '[' || c == ',') {
            depth += c != ',';
            values++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                return fail_syntax(load, i);
            }
            depth--;
        }
        if (depth > bounds->depth) {
            return vgg_fail_at(load->err, VGG_ERR_LIMIT, i,
                               "%s: JSON nested more deeply than the limit of %" PRIu32, load->path,
                               bounds->depth);
        }
        if (values > bounds->values) {
            return vgg_fail_at(load->err, VGG_ERR_LIMIT, i,
                               "%s: more JSON values than the limit of %" PRIu32, load->path,
                               bounds->values);
        }
    }
    return VGG_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

/* Refuses an object with the same key twice. */
static vgg_status check_object(const struct vgg_load *load, const cJSON *object)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(load);
    vgg_status status = VGG_OK;
    size_t count = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        count++;
    }
    if (count < 2) {
        return VGG_OK;
    }
    const char **keys = vgg_mem_alloc(allocator, count, sizeof *keys);
    if (keys == NULL) {
        return vgg_load_fail_memory(load, count * sizeof *keys, "JSON");
    }
    count = 0;
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        keys[count++] = item->string;
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1; i < count && status == VGG_OK; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0) {
            status = vgg_fail(load->err, VGG_ERR_FORMAT, "%s: %.200s: the key is given twice",
                              load->path, keys[i]);
        }
    }
    vgg_mem_free(allocator, keys);
    return status;
}

static vgg_status check_keys(const struct vgg_load *load, const cJSON *root)
{
    const cJSON *path[VGG_JSON_DEPTH_MAX + 1] = {root}; /* from the root to the current item */
    size_t depth = 1;
    while (depth > 0) {
        const cJSON *item = path[depth - 1];
        if (item == NULL) {
            depth--;
            if (depth > 0) {
                path[depth - 1] = path[depth - 1]->next;
            }
            continue;
        }
        if (cJSON_IsObject(item)) {
            vgg_status status = check_object(load, item);
            if (status != VGG_OK) {
                return status;
            }
        }
        if (item->child != NULL) {
            path[depth++] = item->child;
        } else {
            path[depth - 1] = item->next;
        }
    }
    return VGG_OK;
}

/* cJSON records the position of its last error in a global variable. */
static pthread_mutex_t cjson_lock = PTHREAD_MUTEX_INITIALIZER;

vgg_status vgg_json_parse(const struct vgg_load *load, const void *text, size_t size,
                          const struct vgg_json_bounds *bounds, struct vgg_json **out)
{
    const char *end = NULL, *start = text;
    *out = NULL;
    assert(bounds->depth <= VGG_JSON_DEPTH_MAX);
    vgg_status status = check_text(load, text, size, bounds);
    if (status != VGG_OK) {
        return status;
    }
    pthread_mutex_lock(&cjson_lock);
    errno = 0;
    cJSON *root = cJSON_ParseWithLengthOpts(text, size, &end, false);
    const bool no_memory = root == NULL && errno == ENOMEM; /* cJSON does not report it */
    pthread_mutex_unlock(&cjson_lock);
    size_t read = end != NULL ? (size_t)(end - start) : 0;
    while (root != NULL && read < size && strchr(" \t\r\n", start[read]) != NULL) {
        read++;
    }
    if (no_memory) {
        status = vgg_load_fail_memory(load, size, "JSON");
    } else if (root == NULL || read < size) {
        status = fail_syntax(load, read);
    } else {
        status = check_keys(load, root);
    }
    if (status != VGG_OK) {
        cJSON_Delete(root);
        return status;
    }
    *out = (struct vgg_json *)root;
    return VGG_OK;
}

void vgg_json_free(struct vgg_json *root)
{
    cJSON_Delete((cJSON *)root);
}

bool vgg_json_is(const struct vgg_json *value, enum vgg_json_kind kind)
{
    const cJSON *item = item_of(value);
    switch (kind) {
    case VGG_JSON_NULL:
        return cJSON_IsNull(item);
    case VGG_JSON_BOOL:
        return cJSON_IsBool(item);
    case VGG_JSON_NUMBER:
        return cJSON_IsNumber(item);
    case VGG_JSON_TEXT:
        return cJSON_IsString(item);
    case VGG_JSON_LIST:
        return cJSON_IsArray(item);
    case VGG_JSON_OBJECT:
        return cJSON_IsObject(item);
    }
    return false;
}

bool vgg_json_bool(const struct vgg_json *value)
{
    return cJSON_IsTrue(item_of(value));
}

double vgg_json_number(const struct vgg_json *value)
{
    return item_of(value)->valuedouble;
}

bool vgg_json_size(const struct vgg_json *value, uint64_t *out)
{
    if (!vgg_json_is(value, VGG_JSON_NUMBER)) {
        return false;
    }
    const double number = vgg_json_number(value);
    if (!(number >= 0 && number <= 0x1p53) || number != floor(number)) {
        return false;
    }
    *out = (uint64_t)number;
    return true;
}

const char *vgg_json_text(const struct vgg_json *value)
{
    return item_of(value)->valuestring;
}

const struct vgg_json *vgg_json_first(const struct vgg_json *value)
{
    return value_of(item_of(value)->child);
}

const struct vgg_json *vgg_json_next(const struct vgg_json *value)
{
    return value_of(item_of(value)->next);
}

size_t vgg_json_count(const struct vgg_json *value)
{
    size_t count = 0;
    for (const cJSON *item = item_of(value)->child; item != NULL; item = item->next) {
        count++;
    }
    return count;
}

const char *vgg_json_key(const struct vgg_json *value)
{
    return item_of(value)->string;
}

const struct vgg_json *vgg_json_get(const struct vgg_json *object, const char *key)
{
    return value_of(cJSON_GetObjectItemCaseSensitive(item_of(object), key));
}

void vgg_json_show(const struct vgg_json *value, char shown[VGG_JSON_SHOWN_BYTES])
{
    const cJSON *item = item_of(value);
    const char *what = "nothing";
    if (cJSON_IsNumber(item)) {
        snprintf(shown, VGG_JSON_SHOWN_BYTES, "%.9g", item->valuedouble);
        return;
    }
    if (cJSON_IsString(item)) {
        snprintf(shown, VGG_JSON_SHOWN_BYTES, "\"%.*s\"", VGG_SHOWN_TEXT(item->valuestring, 40));
        return;
    }
    if (cJSON_IsBool(item)) {
        what = cJSON_IsTrue(item) ? "true" : "false";
    } else if (item != NULL) {
        what = cJSON_IsArray(item) ? "a list" : cJSON_IsObject(item) ? "an object" : "null";
    }
    snprintf(shown, VGG_JSON_SHOWN_BYTES, "%s", what);
}
