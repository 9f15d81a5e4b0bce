/* SPDX-License-Identifier: MIT */
/* Reads JSON objects by a table of their keys. */
#include "model/spec/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/spec/labels.h"

vgg_status vgg_read_fail_key(const struct vgg_load *load, const char *key, const char *problem)
{
    return vgg_fail(load->err, VGG_ERR_FORMAT, "%s: %s: %s", load->path, key, problem);
}

vgg_status vgg_read_fail_expected(const struct vgg_load *load, const char *key,
                                  const char *expected, const struct vgg_json *found)
{
    char text[512], shown[VGG_JSON_SHOWN_BYTES];
    vgg_json_show(found, shown);
    snprintf(text, sizeof text, "expected %s, found %s", expected, shown);
    return vgg_read_fail_key(load, key, text);
}

static bool is_in_range(const struct vgg_json *item, struct vgg_range range)
{
    return vgg_json_is(item, VGG_JSON_NUMBER) && vgg_json_number(item) >= range.min &&
           vgg_json_number(item) <= range.max;
}

vgg_status vgg_read_number(const struct vgg_load *load, const char *key,
                           const struct vgg_json *item, struct vgg_range range, double *out)
{
    char expected[96];
    if (!is_in_range(item, range)) {
        snprintf(expected, sizeof expected, "a number from %.9g to %.9g", range.min, range.max);
        return vgg_read_fail_expected(load, key, expected, item);
    }
    *out = vgg_json_number(item);
    return VGG_OK;
}

vgg_status vgg_read_int(const struct vgg_load *load, const char *key, const struct vgg_json *item,
                        struct vgg_range range, int *out)
{
    char expected[96];
    if (!is_in_range(item, range) || vgg_json_number(item) != floor(vgg_json_number(item))) {
        snprintf(expected, sizeof expected, "a whole number from %.0f to %.0f", range.min,
                 range.max);
        return vgg_read_fail_expected(load, key, expected, item);
    }
    *out = (int)vgg_json_number(item);
    return VGG_OK;
}

vgg_status vgg_read_text(const struct vgg_load *load, const char *key, const struct vgg_json *item,
                         const char **out)
{
    if (!vgg_json_is(item, VGG_JSON_TEXT)) {
        return vgg_read_fail_expected(load, key, "a text", item);
    }
    size_t length = strlen(vgg_json_text(item));
    const char *problem = vgg_label_check(vgg_json_text(item), length);
    if (problem != NULL) {
        return vgg_read_fail_key(load, key, problem);
    }
    *out = vgg_arena_copy_string(load->arena, vgg_json_text(item), length);
    return *out != NULL ? VGG_OK : vgg_load_fail_memory(load, length + 1, "the description");
}

static vgg_status read_field(const struct vgg_load *load, const char *key,
                             const struct vgg_json *item, const struct vgg_field *field)
{
    switch (field->type) {
    case VGG_FIELD_INT:
        return vgg_read_int(load, key, item, field->range, field->target);
    case VGG_FIELD_NUMBER:
        return vgg_read_number(load, key, item, field->range, field->target);
    case VGG_FIELD_BOOL:
        if (!vgg_json_is(item, VGG_JSON_BOOL)) {
            return vgg_read_fail_expected(load, key, "true or false", item);
        }
        *(bool *)field->target = vgg_json_bool(item);
        return VGG_OK;
    case VGG_FIELD_TEXT:
        return vgg_read_text(load, key, item, field->target);
    case VGG_FIELD_ANY:
        *(const struct vgg_json **)field->target = item;
        return VGG_OK;
    }
    return VGG_OK;
}

static vgg_status fail_unknown(const struct vgg_load *load, const char *key,
                               const struct vgg_field *fields, size_t count)
{
    struct vgg_text known = {0};
    for (size_t i = 0; i < count; i++) {
        vgg_text_add(&known, "%s %s", i > 0 ? "," : "", fields[i].key);
    }
    return vgg_fail(load->err, VGG_ERR_FORMAT, "%s: %s: unknown key; the keys here are%s",
                    load->path, key, known.buffer);
}

vgg_status vgg_read_object(const struct vgg_load *load, const char *where,
                           const struct vgg_json *object, const struct vgg_field *fields,
                           size_t count)
{
    char key[VGG_KEY_BYTES];
    /* A bit for each field: no object has more than 32. */
    unsigned seen = 0;
    const char *dot = where[0] != '\0' ? "." : "";
    if (!vgg_json_is(object, VGG_JSON_OBJECT)) {
        return vgg_read_fail_expected(load, where[0] != '\0' ? where : "description", "an object",
                                      object);
    }
    for (const struct vgg_json *item = vgg_json_first(object); item != NULL;
         item = vgg_json_next(item)) {
        size_t i = 0;
        snprintf(key, sizeof key, "%.40s%s%.*s", where, dot,
                 VGG_SHOWN_TEXT(vgg_json_key(item), 48));
        while (i < count && strcmp(fields[i].key, vgg_json_key(item)) != 0) {
            i++;
        }
        if (i == count) {
            return fail_unknown(load, key, fields, count);
        }
        seen |= 1u << i;
        vgg_status status = read_field(load, key, item, &fields[i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && (seen >> i & 1) == 0) {
            snprintf(key, sizeof key, "%.40s%s%.48s", where, dot, fields[i].key);
            return vgg_read_fail_key(load, key, "the key is missing");
        }
    }
    return VGG_OK;
}

vgg_status vgg_read_count(const struct vgg_load *load, const char *key, const struct vgg_json *list,
                          uint32_t max, size_t *out)
{
    char problem[96];
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_first(list) == NULL) {
        return vgg_read_fail_expected(load, key, "a list that is not empty",
                                      vgg_json_is(list, VGG_JSON_LIST) ? NULL : list);
    }
    *out = vgg_json_count(list);
    if (*out > max) {
        snprintf(problem, sizeof problem, "%zu entries, limit is %u", *out, max);
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: %s: %s", load->path, key, problem);
    }
    return VGG_OK;
}
