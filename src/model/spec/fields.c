/* Reading JSON objects by a table of their keys. */
#include "model/spec/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/spec/labels.h"

vgg_status vgg_reader_fail_key(const struct vgg_reader *reader, const char *key,
                               const char *problem)
{
    return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: %s: %s", reader->source, key, problem);
}

vgg_status vgg_reader_fail_expected(const struct vgg_reader *reader, const char *key,
                                    const char *expected, const struct vgg_json *found)
{
    char text[512], shown[VGG_JSON_SHOWN_BYTES];
    vgg_json_show(found, shown);
    snprintf(text, sizeof text, "expected %s, found %s", expected, shown);
    return vgg_reader_fail_key(reader, key, text);
}

vgg_status vgg_reader_fail_memory(const struct vgg_reader *reader, size_t bytes)
{
    return vgg_fail_memory(reader->err, reader->source, bytes, "the description");
}

vgg_status vgg_read_number(const struct vgg_reader *reader, const char *key,
                           const struct vgg_json *item, double least, double most, double *out)
{
    char expected[96];
    if (!vgg_json_is(item, VGG_JSON_NUMBER) ||
        !(vgg_json_number(item) >= least && vgg_json_number(item) <= most)) {
        snprintf(expected, sizeof expected, "a number from %.9g to %.9g", least, most);
        return vgg_reader_fail_expected(reader, key, expected, item);
    }
    *out = vgg_json_number(item);
    return VGG_OK;
}

vgg_status vgg_read_int(const struct vgg_reader *reader, const char *key,
                        const struct vgg_json *item, int least, int most, int *out)
{
    char expected[96];
    if (!vgg_json_is(item, VGG_JSON_NUMBER) ||
        !(vgg_json_number(item) >= least && vgg_json_number(item) <= most) ||
        vgg_json_number(item) != floor(vgg_json_number(item))) {
        snprintf(expected, sizeof expected, "a whole number from %d to %d", least, most);
        return vgg_reader_fail_expected(reader, key, expected, item);
    }
    *out = (int)vgg_json_number(item);
    return VGG_OK;
}

vgg_status vgg_read_text(const struct vgg_reader *reader, const char *key,
                         const struct vgg_json *item, const char **out)
{
    if (!vgg_json_is(item, VGG_JSON_TEXT)) {
        return vgg_reader_fail_expected(reader, key, "a text", item);
    }
    size_t length = strlen(vgg_json_text(item));
    const char *problem = vgg_label_check(vgg_json_text(item), length);
    if (problem != NULL) {
        return vgg_reader_fail_key(reader, key, problem);
    }
    *out = vgg_arena_copy_string(reader->arena, vgg_json_text(item), length);
    return *out != NULL ? VGG_OK : vgg_reader_fail_memory(reader, length + 1);
}

static vgg_status read_field(const struct vgg_reader *reader, const char *key,
                             const struct vgg_json *item, const struct vgg_field *field)
{
    switch (field->type) {
    case VGG_FIELD_INT:
        return vgg_read_int(reader, key, item, (int)field->least, (int)field->most, field->target);
    case VGG_FIELD_NUMBER:
        return vgg_read_number(reader, key, item, field->least, field->most, field->target);
    case VGG_FIELD_BOOL:
        if (!vgg_json_is(item, VGG_JSON_BOOL)) {
            return vgg_reader_fail_expected(reader, key, "true or false", item);
        }
        *(bool *)field->target = vgg_json_bool(item);
        return VGG_OK;
    case VGG_FIELD_TEXT:
        return vgg_read_text(reader, key, item, field->target);
    case VGG_FIELD_ANY:
        *(const struct vgg_json **)field->target = item;
        return VGG_OK;
    }
    return VGG_OK;
}

static vgg_status fail_unknown(const struct vgg_reader *reader, const char *key,
                               const struct vgg_field *fields, size_t count)
{
    struct vgg_text known = {0};
    for (size_t i = 0; i < count; i++) {
        vgg_text_add(&known, "%s %s", i > 0 ? "," : "", fields[i].key);
    }
    return vgg_fail(reader->err, VGG_ERR_FORMAT, "%s: %s: unknown key; the keys here are%s",
                    reader->source, key, known.buffer);
}

vgg_status vgg_read_object(const struct vgg_reader *reader, const char *where,
                           const struct vgg_json *object, const struct vgg_field *fields,
                           size_t count)
{
    char key[VGG_KEY_BYTES];
    unsigned seen = 0; /* a bit for each field; no object has more than 32 */
    const char *dot = where[0] != '\0' ? "." : "";
    if (!vgg_json_is(object, VGG_JSON_OBJECT)) {
        return vgg_reader_fail_expected(reader, where[0] != '\0' ? where : "description",
                                        "an object", object);
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
            return fail_unknown(reader, key, fields, count);
        }
        seen |= 1u << i;
        vgg_status status = read_field(reader, key, item, &fields[i]);
        if (status != VGG_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && (seen >> i & 1) == 0) {
            snprintf(key, sizeof key, "%.40s%s%.48s", where, dot, fields[i].key);
            return vgg_reader_fail_key(reader, key, "the key is missing");
        }
    }
    return VGG_OK;
}

vgg_status vgg_read_count(const struct vgg_reader *reader, const char *key,
                          const struct vgg_json *list, uint32_t most, size_t *out)
{
    char problem[96];
    if (!vgg_json_is(list, VGG_JSON_LIST) || vgg_json_first(list) == NULL) {
        return vgg_reader_fail_expected(reader, key, "a list that is not empty",
                                        vgg_json_is(list, VGG_JSON_LIST) ? NULL : list);
    }
    *out = vgg_json_count(list);
    if (*out > most) {
        snprintf(problem, sizeof problem, "%zu entries, limit is %u", *out, most);
        return vgg_fail(reader->err, VGG_ERR_LIMIT, "%s: %s: %s", reader->source, key, problem);
    }
    return VGG_OK;
}
