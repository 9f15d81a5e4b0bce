/* SPDX-License-Identifier: MIT */
/* Reads the assumptions in a description. */
#include "model/spec/read_assumed.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "model/spec/fields.h"

/* More than the properties of a net of as many layers as a file may have. */
enum { MAX_ASSUMED = 2000 };

/* Reads a text as inference makes it: longer than a label, and cut anywhere. It is copied when it is added. */
static vgg_status read_text(const struct vgg_load *load, const char *key,
                            const struct vgg_json *item, const char **out)
{
    if (item == NULL) {
        return VGG_OK;
    }
    if (!vgg_json_is(item, VGG_JSON_TEXT)) {
        return vgg_read_fail_expected(load, key, "a text", item);
    }
    const size_t length = strlen(vgg_json_text(item));
    if (length > VGG_LONG_MESSAGE_BYTES) {
        return vgg_fail(load->err, VGG_ERR_LIMIT, "%s: %s: %zu bytes, limit is %d", load->path, key,
                        length, VGG_LONG_MESSAGE_BYTES);
    }
    *out = vgg_json_text(item);
    return VGG_OK;
}

static vgg_status read_record(const struct vgg_load *load, const char *where,
                              const struct vgg_json *item, struct vgg_evidence *out)
{
    static const char *const keys[] = {"property", "value", "why", "alternatives"};
    const char **const targets[] = {&out->property, &out->value, &out->why, &out->alternatives};
    const struct vgg_json *items[4] = {0};
    struct vgg_field fields[4];
    char key[VGG_KEY_BYTES];
    for (size_t i = 0; i < 4; i++) {
        fields[i] = (struct vgg_field){keys[i], VGG_FIELD_ANY, &items[i], i < 2, {0, 0}};
    }
    vgg_status status = VGG_READ_OBJECT(load, where, item, fields);
    for (size_t i = 0; i < 4 && status == VGG_OK; i++) {
        snprintf(key, sizeof key, "%.40s.%s", where, keys[i]);
        status = read_text(load, key, items[i], targets[i]);
    }
    return status;
}

vgg_status vgg_spec_read_assumed(const struct vgg_load *load, const struct vgg_json *list,
                                 struct vgg_evidence_list *out)
{
    char where[VGG_KEY_BYTES];
    size_t count, i = 0;
    vgg_status status = vgg_read_count(load, "assumed", list, MAX_ASSUMED, &count);
    if (status != VGG_OK) {
        return status;
    }
    for (const struct vgg_json *item = vgg_json_first(list); item != NULL;
         item = vgg_json_next(item), i++) {
        struct vgg_evidence evidence = {.source = VGG_EVIDENCE_CONVENTION};
        snprintf(where, sizeof where, "assumed[%zu]", i);
        status = read_record(load, where, item, &evidence);
        if (status != VGG_OK) {
            return status;
        }
        if (vgg_evidence_find(out, evidence.property) != NULL) {
            return vgg_read_fail_key(load, where, "the property is given twice");
        }
        vgg_evidence_add(out, load->arena, &evidence);
    }
    return VGG_OK;
}
