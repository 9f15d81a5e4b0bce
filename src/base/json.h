/* SPDX-License-Identifier: MIT */
/* JSON as a read-only tree. Only json.c uses cJSON. */
#ifndef VGG_BASE_JSON_H
#define VGG_BASE_JSON_H

#include <stdbool.h>

#include "base/load.h"

/* A value: an item of a list, a field of an object, or the whole text. */
struct vgg_json;

enum vgg_json_kind {
    VGG_JSON_NULL,
    VGG_JSON_BOOL,
    VGG_JSON_NUMBER,
    VGG_JSON_TEXT,
    VGG_JSON_LIST,
    VGG_JSON_OBJECT,
};

/* Limits of a text. A value takes about 100 bytes of memory. */
struct vgg_json_bounds {
    uint32_t depth;  /* lists and objects inside each other, at most VGG_JSON_DEPTH_MAX */
    uint32_t values; /* of all kinds */
};
enum { VGG_JSON_DEPTH_MAX = 32 };

/* Parses a whole text. Stricter than cJSON, so that all readers of a text agree: no key is given twice in an object,
 * and no text holds a control character or NUL, not even escaped.
 *   load  its path names the text in messages; nothing stays in its arena
 *   out   to be freed by the caller; NULL after an error
 * Errors: FORMAT (not JSON, with the position; a key given twice), LIMIT, MEMORY. */
vgg_status vgg_json_parse(const struct vgg_load *load, const void *text, size_t size,
                          const struct vgg_json_bounds *bounds, struct vgg_json **out);
/* Frees a whole tree; NULL is allowed. */
void vgg_json_free(struct vgg_json *root);

/* Whether a value is of this kind; false for NULL. */
bool vgg_json_is(const struct vgg_json *value, enum vgg_json_kind kind);
/* The value of a BOOL, a NUMBER, a TEXT. */
bool vgg_json_bool(const struct vgg_json *value);
double vgg_json_number(const struct vgg_json *value);
const char *vgg_json_text(const struct vgg_json *value);
/* A whole number from 0 to 2^53, the range in which all JSON readers are exact; false for anything else and NULL. */
bool vgg_json_size(const struct vgg_json *value, uint64_t *out);

/* The items of a LIST or OBJECT in order; NULL at the end. */
const struct vgg_json *vgg_json_first(const struct vgg_json *value);
const struct vgg_json *vgg_json_next(const struct vgg_json *value);
/* The number of items. */
size_t vgg_json_count(const struct vgg_json *value);
/* The key of a value in its OBJECT. */
const char *vgg_json_key(const struct vgg_json *value);
/* The value of a key in an OBJECT; NULL when there is none, or `object` is of another kind. */
const struct vgg_json *vgg_json_get(const struct vgg_json *object, const char *key);

/* Describes a value for messages: 7, "abc", true, a list; "nothing" for NULL. */
enum { VGG_JSON_SHOWN_BYTES = 64 };
void vgg_json_show(const struct vgg_json *value, char shown[VGG_JSON_SHOWN_BYTES]);

#endif
