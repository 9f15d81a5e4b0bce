/* Find the state dict in a checkpoint and list its tensors by name. */
#include "checkpoint/state_dict.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint/rebuild.h"

/* Where training scripts put the state dict in a larger dict, the most telling first. */
static const char *const wrappers[] = {"state_dict", "model_state_dict", "model", "net", "weights"};
enum { WRAPPER_COUNT = sizeof wrappers / sizeof wrappers[0], WRAPPER_DEPTH_MAX = 4 };

/* What wrapping a model adds to all its names. */
static const char *const prefixes[] = {"module."}; /* DataParallel */
enum { PREFIX_COUNT = sizeof prefixes / sizeof prefixes[0] };

static bool is_dict_of_tensors(const struct vgg_value *dict)
{
    for (size_t i = 1; i < dict->list.count; i += 2) {
        if (vgg_value_is_tensor(dict->list.items[i])) {
            return true;
        }
    }
    return false;
}

/* The value under a text key (the last one, as in Python), or NULL. */
static const struct vgg_value *get(const struct vgg_value *dict, const char *key)
{
    for (size_t i = dict->list.count; i >= 2; i -= 2) {
        const struct vgg_value *name = dict->list.items[i - 2];
        if (name->kind == VGG_VALUE_TEXT && vgg_span_equals(name->text, key)) {
            return dict->list.items[i - 1];
        }
    }
    return NULL;
}

static vgg_status fail_not_a_dict(const struct vgg_value *value, const char *path,
                                  struct vgg_error *err)
{
    if (value->kind != VGG_VALUE_OBJECT) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a state dict, found %s", path,
                        vgg_value_is_tensor(value) ? "a tensor"
                                                   : vgg_value_kind_string(value->kind));
    }
    struct vgg_span module = value->object.callee->global.module,
                    name = value->object.callee->global.name;
    if (vgg_value_is_tensor(value)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: holds one tensor, expected a state dict",
                        path);
    }
    return vgg_fail(err, VGG_ERR_UNSUPPORTED,
                    "%s: holds a whole object (%.*s.%.*s), not a state dict, which is not "
                    "supported yet; save model.state_dict() instead",
                    path, module.length > 200 ? 200 : (int)module.length, module.bytes,
                    name.length > 200 ? 200 : (int)name.length, name.bytes);
}

/* "'epoch', 'best', …": what a dict without tensors holds, for the message. */
static vgg_status fail_no_tensors(const struct vgg_value *dict, const char *path,
                                  struct vgg_error *err)
{
    struct vgg_text keys = {0};
    for (size_t i = 0; i < dict->list.count && i < 20; i += 2) {
        const struct vgg_value *key = dict->list.items[i];
        if (key->kind == VGG_VALUE_TEXT) {
            vgg_text_add(&keys, "%s'%.*s'", keys.length > 0 ? ", " : "",
                         key->text.length > 64 ? 64 : (int)key->text.length, key->text.bytes);
        }
    }
    return vgg_fail(err, VGG_ERR_FORMAT, "%s: no tensors in the checkpoint's dict (keys: %s%s)",
                    path, keys.length > 0 ? keys.buffer : "none",
                    dict->list.count > 20 ? ", …" : "");
}

static vgg_status find_dict(const struct vgg_value *root, const char *path,
                            const struct vgg_value **out, struct vgg_error *err)
{
    const struct vgg_value *value = root;
    for (int depth = 0; depth < WRAPPER_DEPTH_MAX; depth++) {
        if (value->kind != VGG_VALUE_DICT) {
            return fail_not_a_dict(value, path, err);
        }
        const struct vgg_value *inner = NULL;
        for (size_t i = 0; i < WRAPPER_COUNT && inner == NULL; i++) {
            inner = get(value, wrappers[i]);
            if (inner != NULL && inner->kind != VGG_VALUE_DICT &&
                (inner->kind != VGG_VALUE_OBJECT || vgg_value_is_tensor(inner))) {
                inner = NULL; /* {'model': 'vgg16', …} */
            }
        }
        if (inner == NULL) {
            *out = value;
            return is_dict_of_tensors(value) ? VGG_OK : fail_no_tensors(value, path, err);
        }
        value = inner;
    }
    return vgg_fail(err, VGG_ERR_FORMAT, "%s: state dict nested too deeply", path);
}

/* Well-formed UTF-8 (no overlong forms, no surrogates) without control characters. */
static bool is_name(struct vgg_span text)
{
    const uint8_t *p = (const uint8_t *)text.bytes, *end = p + text.length;
    while (p < end) {
        uint32_t c = *p++;
        unsigned more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        static const uint32_t least[] = {0x20, 0x80, 0x800, 0x10000};
        if ((more > 0 && (c < 0xc2 || c > 0xf4)) || (size_t)(end - p) < more) {
            return false;
        }
        c = more == 0 ? c : c & (0x3fu >> more);
        for (unsigned i = 0; i < more; i++, p++) {
            if ((*p & 0xc0) != 0x80) {
                return false;
            }
            c = c << 6 | (*p & 0x3f);
        }
        if (c < least[more] || c == 0x7f || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) {
            return false;
        }
    }
    return true;
}

static vgg_status copy_name(const struct vgg_value *key, const char *path, struct vgg_arena *arena,
                            const char **out, struct vgg_error *err)
{
    enum { NAME_BYTES_MAX = 1024 };
    if (key->kind != VGG_VALUE_TEXT) {
        return vgg_fail(err, VGG_ERR_FORMAT, "%s: a tensor's name is %s, expected a text", path,
                        vgg_value_kind_string(key->kind));
    }
    if (key->text.length > NAME_BYTES_MAX || !is_name(key->text)) {
        return vgg_fail(err, VGG_ERR_FORMAT,
                        "%s: a tensor's name is too long or no printable UTF-8: %.*s", path,
                        key->text.length > 64 ? 64 : (int)key->text.length, key->text.bytes);
    }
    *out = vgg_arena_copy_string(arena, key->text.bytes, key->text.length);
    return *out != NULL ? VGG_OK
                        : vgg_fail_memory(err, path, key->text.length, "the tensors' names");
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Removes a prefix that every name has. */
static void strip_prefixes(struct vgg_state_dict *dict)
{
    for (size_t p = 0; p < PREFIX_COUNT; p++) {
        size_t having = 0;
        while (having < dict->count && has_prefix(dict->tensors[having].name, prefixes[p])) {
            having++;
        }
        for (size_t i = 0; having == dict->count && i < dict->count; i++) {
            dict->tensors[i].name += strlen(prefixes[p]);
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    const struct vgg_tensor *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* Sorts the names; a name that is there twice is an error. */
static vgg_status make_index(struct vgg_state_dict *dict, const char *path, struct vgg_arena *arena,
                             struct vgg_error *err)
{
    dict->by_name = vgg_arena_alloc(arena, dict->count, sizeof(const struct vgg_tensor *));
    if (dict->by_name == NULL) {
        return vgg_fail_memory(err, path, dict->count * sizeof(void *), "the tensors");
    }
    for (size_t i = 0; i < dict->count; i++) {
        dict->by_name[i] = &dict->tensors[i];
    }
    qsort(dict->by_name, dict->count, sizeof(const struct vgg_tensor *), compare_names);
    for (size_t i = 1; i < dict->count; i++) {
        if (compare_names(&dict->by_name[i - 1], &dict->by_name[i]) == 0) {
            return vgg_fail(err, VGG_ERR_FORMAT, "%s: %s: the name is there twice", path,
                            dict->by_name[i]->name);
        }
    }
    return VGG_OK;
}

vgg_status vgg_state_dict_read(const struct vgg_pickle *pickle, const char *path,
                               const struct vgg_limits *limits, struct vgg_arena *arena,
                               struct vgg_state_dict *out, struct vgg_error *err)
{
    struct vgg_state_dict dict = {0};
    const struct vgg_value *root = NULL;
    vgg_status status = find_dict(pickle->root, path, &root, err);
    if (status != VGG_OK) {
        return status;
    }
    size_t total = 0;
    for (size_t i = 1; i < root->list.count; i += 2) {
        total += vgg_value_is_tensor(root->list.items[i]);
    }
    if (total > limits->tensors) {
        return vgg_fail(err, VGG_ERR_LIMIT, "%s: %zu tensors, limit is %" PRIu32, path, total,
                        limits->tensors);
    }
    dict.tensors = vgg_arena_alloc(arena, total, sizeof *dict.tensors);
    dict.placements = vgg_arena_alloc(arena, total, sizeof *dict.placements);
    if (dict.tensors == NULL || dict.placements == NULL) {
        return vgg_fail_memory(err, path, total * sizeof *dict.tensors, "the tensors");
    }
    for (size_t i = 0; i < root->list.count; i += 2) {
        const struct vgg_value *value = root->list.items[i + 1];
        if (!vgg_value_is_tensor(value)) {
            continue;
        }
        struct vgg_tensor *tensor = &dict.tensors[dict.count];
        struct vgg_placement *placement = &dict.placements[dict.count];
        status = copy_name(root->list.items[i], path, arena, &tensor->name, err);
        if (status == VGG_OK) {
            status = vgg_tensor_rebuild(value, path, tensor->name, limits, tensor, placement, err);
        }
        if (status != VGG_OK) {
            return status;
        }
        placement->storage->wanted = true;
        dict.count++;
    }
    strip_prefixes(&dict);
    status = make_index(&dict, path, arena, err);
    if (status == VGG_OK) {
        *out = dict;
    }
    return status;
}

void vgg_state_dict_bind(struct vgg_state_dict *dict)
{
    for (size_t i = 0; i < dict->count; i++) {
        struct vgg_tensor *tensor = &dict->tensors[i];
        const struct vgg_storage *storage = dict->placements[i].storage;
        uint64_t offset = dict->placements[i].offset;
        tensor->data = storage->data + offset;
        tensor->file_offset =
            storage->file_offset == VGG_NO_OFFSET ? VGG_NO_OFFSET : storage->file_offset + offset;
        tensor->swapped = storage->swapped && vgg_dtype_get_bytes(tensor->dtype) > 1;
    }
}
