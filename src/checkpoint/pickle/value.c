/* SPDX-License-Identifier: MIT */
/* Values: lookup, names of kinds, and which texts can be names. */
#include "checkpoint/pickle/value.h"

const struct vgg_value *vgg_value_get(const struct vgg_value *dict, const char *key)
{
    for (size_t i = dict->list.count; i >= 2; i -= 2) {
        const struct vgg_value *name = dict->list.items[i - 2];
        if (name->kind == VGG_VALUE_TEXT && vgg_span_equals(name->text, key)) {
            return dict->list.items[i - 1];
        }
    }
    return NULL;
}

bool vgg_span_is_name(struct vgg_span text)
{
    const uint8_t *p = (const uint8_t *)text.bytes, *end = p + text.length;
    if (text.length > VGG_NAME_BYTES_MAX) {
        return false;
    }
    while (p < end) { /* no overlong forms, no surrogates */
        uint32_t c = *p++;
        unsigned more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        static const uint32_t min[] = {0x20, 0x80, 0x800, 0x10000};
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
        if (c < min[more] || c == 0x7f || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) {
            return false;
        }
    }
    return true;
}

const char *vgg_value_kind_string(enum vgg_value_kind kind)
{
    switch (kind) {
    case VGG_VALUE_NONE:
        return "None";
    case VGG_VALUE_BOOL:
        return "a bool";
    case VGG_VALUE_INT:
    case VGG_VALUE_LONG:
        return "an integer";
    case VGG_VALUE_FLOAT:
        return "a float";
    case VGG_VALUE_TEXT:
        return "a text";
    case VGG_VALUE_BYTES:
        return "bytes";
    case VGG_VALUE_TUPLE:
        return "a tuple";
    case VGG_VALUE_LIST:
        return "a list";
    case VGG_VALUE_SET:
        return "a set";
    case VGG_VALUE_DICT:
        return "a dict";
    case VGG_VALUE_GLOBAL:
        return "a global";
    case VGG_VALUE_OBJECT:
        return "an object";
    case VGG_VALUE_PERSISTENT:
        return "a storage";
    }
    return "something else";
}
