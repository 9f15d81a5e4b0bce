/* SPDX-License-Identifier: MIT */
/* A checkpoint in several files: finds them by the index, or by the name of one of them. */
#include "checkpoint/shards.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "checkpoint/pickle/value.h"

enum { SHARDS_MAX = 256, NAME_BYTES_MAX = 255, NUMBER_DIGITS = 5 };

static const char index_end[] = ".index.json";

/* ---- names ---- */

static size_t find_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash + 1 - path) : 0;
}

/* Whether a text begins with five digits; *number receives them. */
static bool read_number(const char *text, unsigned *number)
{
    *number = 0;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *number = 10 * *number + (unsigned)(text[i] - '0');
    }
    return true;
}

/* The part "-00001-of-00002" of a file's name; NULL: it has none, or this is the only shard. */
static const char *find_number(const char *name)
{
    static const char of[] = "-of-";
    for (const char *dash = strchr(name, '-'); dash != NULL; dash = strchr(dash + 1, '-')) {
        unsigned number, count;
        const char *rest = dash + 1 + NUMBER_DIGITS;
        if (read_number(dash + 1, &number) && strncmp(rest, of, sizeof of - 1) == 0 &&
            read_number(rest + sizeof of - 1, &count) &&
            rest[sizeof of - 1 + NUMBER_DIGITS] == '.' && count > 1) {
            return dash;
        }
    }
    return NULL;
}

/* "a/model.safetensors.index.json" for "a/model-00001-of-00002.safetensors"; NULL without memory. */
static const char *make_index_path(const struct vgg_load *load, const char *number)
{
    const size_t head = (size_t)(number - load->path);
    const char *rest = number + sizeof "-NNNNN-of-NNNNN" - 1;
    char *path = vgg_load_alloc(load, head + strlen(rest) + sizeof index_end, 1);
    if (path != NULL) {
        memcpy(path, load->path, head);
        strcpy(path + head, rest);
        strcat(path + head, index_end);
    }
    return path;
}

/* A name that stays in the index's folder. */
static bool is_file_name(const struct vgg_json *value)
{
    if (!vgg_json_is(value, VGG_JSON_TEXT)) {
        return false;
    }
    const char *name = vgg_json_text(value);
    const size_t length = strlen(name);
    return length > 0 && length <= NAME_BYTES_MAX && name[0] != '.' && strchr(name, '/') == NULL &&
           vgg_span_is_name((struct vgg_span){name, (uint32_t)length});
}

/* ---- the index ---- */

static const struct vgg_json *get_map(const struct vgg_shards *shards)
{
    return vgg_json_get(shards->index, "weight_map");
}

/* Adds the path of a shard unless it is there. */
static vgg_status add_shard(const struct vgg_load *load, const char *name,
                            struct vgg_shards *shards)
{
    const size_t folder = find_folder(shards->index_path);
    for (size_t i = 0; i < shards->count; i++) {
        if (strcmp(shards->paths[i] + folder, name) == 0) {
            return VGG_OK;
        }
    }
    if (shards->count == SHARDS_MAX) {
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: more shards than the limit of %d",
                        shards->index_path, SHARDS_MAX);
    }
    char *path = vgg_load_alloc(load, folder + strlen(name) + 1, 1);
    if (path == NULL) {
        return vgg_load_fail_memory(load, strlen(name), "a path");
    }
    memcpy(path, shards->index_path, folder);
    strcpy(path + folder, name);
    shards->paths[shards->count++] = path;
    return VGG_OK;
}

static vgg_status list_shards(const struct vgg_load *load, struct vgg_shards *shards)
{
    vgg_status status = VGG_OK;
    shards->paths = vgg_load_alloc(load, SHARDS_MAX, sizeof *shards->paths);
    if (shards->paths == NULL) {
        return vgg_load_fail_memory(load, SHARDS_MAX * sizeof *shards->paths, "the shards");
    }
    for (const struct vgg_json *item = vgg_json_first(get_map(shards));
         item != NULL && status == VGG_OK; item = vgg_json_next(item)) {
        char shown[VGG_JSON_SHOWN_BYTES];
        vgg_json_show(item, shown);
        status = is_file_name(item)
                     ? add_shard(load, vgg_json_text(item), shards)
                     : vgg_fail(load->err, VGG_ERR_FORMAT,
                                "%s: weight_map: %.200s: expected the name of a file in the same "
                                "folder, found %s",
                                shards->index_path, vgg_json_key(item), shown);
    }
    if (status == VGG_OK && shards->count == 0) {
        return vgg_fail(load->err, VGG_ERR_FORMAT, "%s: weight_map: expected tensors, found none",
                        shards->index_path);
    }
    return status;
}

static vgg_status check_size(const struct vgg_load *load, const struct vgg_file *file,
                             const struct vgg_shards *shards)
{
    return file->size <= load->limits->header_bytes
               ? VGG_OK
               : vgg_fail(load->err, VGG_ERR_LIMIT, "%s: index of %zu bytes, limit is %llu",
                          shards->index_path, file->size,
                          (unsigned long long)load->limits->header_bytes);
}

/* Parses the index, whose bytes do not change; *found is false if it is JSON of another kind. */
static vgg_status parse(const struct vgg_load *load, const struct vgg_file *file,
                        struct vgg_shards *shards, bool *found)
{
    const struct vgg_json_bounds bounds = {.depth = 8, .values = 4 * load->limits->tensors};
    struct vgg_load index = *load;
    index.path = shards->index_path;
    *found = false;
    vgg_status status = vgg_json_parse(&index, file->data, file->size, &bounds, &shards->index);
    if (status == VGG_OK) {
        *found = vgg_json_is(get_map(shards), VGG_JSON_OBJECT);
    }
    return status;
}

static vgg_status open_index(const struct vgg_load *load, const struct vgg_file *file,
                             struct vgg_shards *shards, bool *found)
{
    vgg_status status = parse(load, file, shards, found);
    return status == VGG_OK && *found ? list_shards(load, shards) : status;
}

/* ---- finding it ---- */

/* Says why an index was read that the caller did not name. */
static vgg_status add_reason(const struct vgg_load *load, vgg_status status)
{
    struct vgg_error *err = load->err;
    if (status != VGG_OK && err != NULL) {
        const struct vgg_error first = *err;
        vgg_fail(err, status, "%s; it is read because %s is one of several shards", first.message,
                 load->path);
        err->sys_errno = first.sys_errno;
        err->byte_offset = first.byte_offset;
    }
    return status;
}

static vgg_status fail_shard(const struct vgg_load *load, const struct vgg_shards *shards,
                             const char *problem)
{
    return vgg_fail(load->err, VGG_ERR_UNSUPPORTED,
                    "%s: one of several files of a checkpoint: the index %s %s", load->path,
                    shards->index_path, problem);
}

static bool is_listed(const struct vgg_load *load, const struct vgg_shards *shards)
{
    for (size_t i = 0; i < shards->count; i++) {
        if (strcmp(shards->paths[i], load->path) == 0) {
            return true;
        }
    }
    return false;
}

/* Reads the index beside a shard. */
static vgg_status find_by_shard(const struct vgg_load *load, const char *number,
                                struct vgg_shards *out)
{
    struct vgg_error reason = {0};
    struct vgg_file file;
    bool found;
    out->index_path = make_index_path(load, number);
    if (out->index_path == NULL) {
        return vgg_load_fail_memory(load, strlen(load->path), "a path");
    }
    vgg_status status = vgg_file_read_regular(out->index_path, load->limits->header_bytes,
                                              vgg_load_allocator(load), &file, &reason);
    if (status == VGG_ERR_IO && (reason.sys_errno == ENOENT || reason.sys_errno == ENOTDIR)) {
        return fail_shard(load, out, "is not beside it");
    }
    if (status != VGG_OK) {
        vgg_fail(load->err, status, "%s", reason.message);
        return add_reason(load, status);
    }
    status = add_reason(load, open_index(load, &file, out, &found));
    vgg_file_close(&file);
    if (status == VGG_OK && !found) {
        return fail_shard(load, out, "has no weight_map");
    }
    return status == VGG_OK && !is_listed(load, out) ? fail_shard(load, out, "does not name it")
                                                     : status;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Reads the index that is the mapped file itself, from a copy. */
static vgg_status find_in(const struct vgg_load *load, const struct vgg_file *file,
                          struct vgg_shards *out, bool *found)
{
    const struct vgg_allocator *allocator = vgg_load_allocator(load);
    struct vgg_file copy;
    out->index_path = load->path;
    vgg_status status = check_size(load, file, out);
    if (status != VGG_OK) {
        return status;
    }
    uint8_t *text = vgg_mem_alloc(allocator, file->size, 1);
    if (text == NULL) {
        return vgg_load_fail_memory(load, file->size, "the index");
    }
    vgg_file_copy(file, 0, file->size, text);
    vgg_file_borrow(text, file->size, &copy);
    status = open_index(load, &copy, out, found);
    vgg_mem_free(allocator, text);
    return status;
}

vgg_status vgg_shards_find(const struct vgg_load *load, const struct vgg_file *file,
                           struct vgg_shards *out)
{
    const char *number = find_number(load->path + find_folder(load->path));
    bool found = false;
    *out = (struct vgg_shards){0};
    if (file->size > 0 && file->data[0] == '{' && ends_with(load->path, ".json")) {
        vgg_status status = find_in(load, file, out, &found);
        /* JSON of other kinds is another error. */
        return found || ends_with(load->path, index_end) || status == VGG_ERR_MEMORY ? status
                                                                                     : VGG_OK;
    }
    return number != NULL ? find_by_shard(load, number, out) : VGG_OK;
}

void vgg_shards_close(struct vgg_shards *shards)
{
    vgg_json_free(shards->index);
    shards->index = NULL;
}

bool vgg_shards_each(const struct vgg_shards *shards,
                     bool (*check)(void *user, const char *tensor, const char *shard), void *user)
{
    for (const struct vgg_json *item = vgg_json_first(get_map(shards)); item != NULL;
         item = vgg_json_next(item)) {
        if (!check(user, vgg_json_key(item), vgg_json_text(item))) {
            return false;
        }
    }
    return true;
}
