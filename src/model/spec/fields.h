/* SPDX-License-Identifier: MIT */
/* Reads JSON objects by a table of their keys.
 *
 * Nothing is skipped: an unknown key, a wrong type or a number out of range is an error that names the key, what
 * was expected and what was found. */
#ifndef VGG_MODEL_SPEC_FIELDS_H
#define VGG_MODEL_SPEC_FIELDS_H

#include "base/json.h"
#include "base/load.h"

/* The numbers that a key may have, both ends included. */
struct vgg_range {
    double min, max;
};

/* One key of an object: the type of its value, and the variable that receives it. */
struct vgg_field {
    const char *key;
    enum {
        /* int in the range */
        VGG_FIELD_INT,
        /* double in the range */
        VGG_FIELD_NUMBER,
        /* bool */
        VGG_FIELD_BOOL,
        /* const char *, one line */
        VGG_FIELD_TEXT,
        /* const struct vgg_json *, which the caller reads */
        VGG_FIELD_ANY,
    } type;
    /* Unchanged when the key is absent. */
    void *target;
    bool required;
    struct vgg_range range;
};

/* Large enough for a key as messages show it: "layers[3].kernel". */
enum { VGG_KEY_BYTES = 96 };

/* Reads an object that may have no keys but the fields'.
 *   where   the object's own key; "" for the whole description
 *   fields  [count], at most 32 */
vgg_status vgg_read_object(const struct vgg_load *load, const char *where,
                           const struct vgg_json *object, const struct vgg_field *fields,
                           size_t count);
#define VGG_READ_OBJECT(load, where, object, fields)                                               \
    vgg_read_object(load, where, object, fields, sizeof(fields) / sizeof((fields)[0]))

/* Read the value of one key: a number in the range, a whole number in the range, a text of one line. */
vgg_status vgg_read_number(const struct vgg_load *load, const char *key,
                           const struct vgg_json *item, struct vgg_range range, double *out);
vgg_status vgg_read_int(const struct vgg_load *load, const char *key, const struct vgg_json *item,
                        struct vgg_range range, int *out);
vgg_status vgg_read_text(const struct vgg_load *load, const char *key, const struct vgg_json *item,
                         const char **out);

/* Counts the entries of a list that must have 1 to max. */
vgg_status vgg_read_count(const struct vgg_load *load, const char *key, const struct vgg_json *list,
                          uint32_t max, size_t *out);

/* Fail with what is wrong with a key: FORMAT. found may be NULL. */
vgg_status vgg_read_fail_key(const struct vgg_load *load, const char *key, const char *problem);
vgg_status vgg_read_fail_expected(const struct vgg_load *load, const char *key,
                                  const char *expected, const struct vgg_json *found);

#endif
