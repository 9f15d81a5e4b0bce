/* SPDX-License-Identifier: MIT */
/* What training scripts keep beside a net's tensors: class names, hyperparameters, arguments. */
#include "checkpoint/facts.h"

#include <stdio.h>

/* A short pickle can hold a large tree by sharing values: each dict is read once, and at most SCOPES_MAX are read. */
enum { SCOPES_MAX = 64, DEPTH_MAX = 2, KEY_BYTES_MAX = 60 };

/* A dict of items or attributes. */
struct scope {
    const struct vgg_value *dict;
    const struct scope *parent;
    struct vgg_span key;
    int depth;
};

struct scopes {
    struct scope items[SCOPES_MAX];
    size_t count;
};

static bool has(const struct scopes *scopes, const struct vgg_value *dict)
{
    for (size_t i = 0; i < scopes->count; i++) {
        if (scopes->items[i].dict == dict) {
            return true;
        }
    }
    return false;
}

static void add(struct scopes *scopes, const struct vgg_value *value, const struct scope *parent,
                struct vgg_span key)
{
    const struct vgg_value *dict = vgg_value_get_dict(value);
    if (dict != NULL && scopes->count < SCOPES_MAX && !has(scopes, dict)) {
        scopes->items[scopes->count++] =
            (struct scope){dict, parent, key, parent != NULL ? parent->depth + 1 : 0};
    }
}

/* Adds the dicts and objects in a scope, but for the parts of modules and what has no printable name. */
static void add_children(struct scopes *scopes, const struct scope *scope)
{
    const struct vgg_value *dict = scope->dict;
    for (size_t i = 0; i + 1 < dict->list.count && scopes->count < SCOPES_MAX; i += 2) {
        const struct vgg_value *key = dict->list.items[i], *value = dict->list.items[i + 1];
        const bool nests = value->kind == VGG_VALUE_DICT || value->kind == VGG_VALUE_OBJECT;
        if (nests && key->kind == VGG_VALUE_TEXT && key->text.length > 0 &&
            key->text.length <= KEY_BYTES_MAX && key->text.bytes[0] != '_' &&
            vgg_span_is_name(key->text)) {
            add(scopes, value, scope, key->text);
        }
    }
}

static void find_scopes(const struct vgg_value *root, struct scopes *out)
{
    out->count = 0;
    add(out, root, NULL, (struct vgg_span){"", 0});
    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].depth < DEPTH_MAX) {
            add_children(out, &out->items[i]);
        }
    }
}

/* "meta.dataset_meta.classes" */
static void write_path(const struct scope *scope, const char *key, char out[VGG_FACT_PATH_BYTES])
{
    const struct scope *parent = scope->depth == 2 ? scope->parent : NULL;
    snprintf(out, VGG_FACT_PATH_BYTES, "%.*s%s%.*s%s%.30s",
             parent != NULL ? (int)parent->key.length : 0, parent != NULL ? parent->key.bytes : "",
             parent != NULL ? "." : "", (int)scope->key.length, scope->key.bytes,
             scope->key.length > 0 ? "." : "", key);
}

size_t vgg_checkpoint_find_facts(const struct vgg_checkpoint *checkpoint, const char *key,
                                 struct vgg_fact *out, size_t max)
{
    struct scopes scopes;
    size_t count = 0;
    if (checkpoint->root == NULL) {
        return 0;
    }
    find_scopes(checkpoint->root, &scopes);
    for (size_t i = 0; i < scopes.count && count < max; i++) {
        const struct vgg_value *value = vgg_value_get(scopes.items[i].dict, key);
        if (value != NULL && value->kind != VGG_VALUE_NONE) {
            write_path(&scopes.items[i], key, out[count].path);
            out[count++].value = vgg_value_unwrap(value);
        }
    }
    return count;
}
