/* SPDX-License-Identifier: MIT */
/* Texts and numbers of a pickle, whether they are Python's own, NumPy's, or wrapped by a library. */
#include "checkpoint/fact_items.h"

#include "base/cursor.h"
#include "checkpoint/locate/numpy.h"

enum { WRAPPERS_MAX = 8, ARRAY_ITEMS_MAX = 1 << 20, UTF8_BYTES_MAX = 4 };

static bool is_list(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_LIST || value->kind == VGG_VALUE_TUPLE;
}

/* ---- wrappers ---- */

/* Whether an object is of a class, or what a function returns, of this name. */
static bool is_object_of(const struct vgg_value *value, const char *name)
{
    return value->kind == VGG_VALUE_OBJECT &&
           vgg_span_equals(value->object.callee->global.name, name);
}

/* The value in one wrapper, or NULL. */
static const struct vgg_value *open_wrapper(const struct vgg_value *value)
{
    if (value->kind != VGG_VALUE_OBJECT) {
        return NULL;
    }
    const struct vgg_value *state = value->object.state;
    if (state == NULL || state->kind != VGG_VALUE_DICT) {
        return NULL;
    }
    if (is_object_of(value, "L") || is_object_of(value, "CategoryMap")) {
        return vgg_value_get(state, "items"); /* fastai's lists */
    }
    const struct vgg_value *content = vgg_value_get(state, "_content"); /* OmegaConf's containers */
    return content != NULL ? content : vgg_value_get(state, "_val");    /* and their values */
}

const struct vgg_value *vgg_value_unwrap(const struct vgg_value *value)
{
    const struct vgg_value *inner = value;
    for (int i = 0; i < WRAPPERS_MAX && inner != NULL; i++) {
        value = inner;
        inner = open_wrapper(value);
    }
    return value;
}

const struct vgg_value *vgg_value_get_dict(const struct vgg_value *value)
{
    value = vgg_value_unwrap(value);
    const struct vgg_value *dict = value->kind == VGG_VALUE_OBJECT ? value->object.state : value;
    return dict != NULL && dict->kind == VGG_VALUE_DICT ? dict : NULL;
}

/* ---- NumPy ---- */

/* The elements of an array, or of a scalar as an array of one. */
struct array {
    struct vgg_array_type type;
    size_t count;
    /* [count * item_bytes], but for objects */
    const uint8_t *bytes;
    /* Of objects. */
    const struct vgg_value *list;
};

/* Takes the data of an array, which must have as many bytes as its elements. */
static bool read_data(struct vgg_value *data, struct vgg_arena *arena, struct array *out,
                      bool *found)
{
    if (out->type.kind == 'O') {
        out->list = data;
        *found = data->kind == VGG_VALUE_LIST && data->list.count == out->count;
        return true;
    }
    if (!vgg_array_decode(data, arena)) {
        return false;
    }
    *found =
        data->kind == VGG_VALUE_BYTES && data->text.length == out->count * out->type.item_bytes;
    out->bytes = *found ? (const uint8_t *)data->text.bytes : NULL;
    return true;
}

/* Reads NumPy's scalar(dtype, bytes), or an array of one dimension.
 * False: without memory. */
static bool read_array(const struct vgg_value *value, struct vgg_arena *arena, struct array *out,
                       bool *found)
{
    struct vgg_array array;
    *found = false;
    *out = (struct array){0};
    if (is_object_of(value, "scalar") && value->object.args->list.count == 2) {
        struct vgg_value **args = value->object.args->list.items;
        out->count = 1;
        const bool known = vgg_array_read_type(args[0], &out->type) && !out->type.big;
        return !known || read_data(args[1], arena, out, found);
    }
    if (!vgg_array_read(value, &array) || array.type.big || array.ndim != 1 ||
        array.shape[0] > ARRAY_ITEMS_MAX) {
        return true;
    }
    out->type = array.type;
    out->count = (size_t)array.shape[0];
    return read_data(array.data, arena, out, found);
}

/* Writes a character as UTF-8; returns its bytes. Surrogates and what is no character become invalid UTF-8, which
 * readers of texts refuse. */
static size_t put_utf8(uint32_t c, char out[UTF8_BYTES_MAX])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(c < 0x110000 ? 0xf0 | c >> 18 : 0xff);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* A text of UTF-32, ended by zeros. False: without memory. */
static bool read_utf32(const uint8_t *bytes, size_t size, struct vgg_arena *arena,
                       struct vgg_fact_item *out)
{
    struct vgg_cursor in = vgg_cursor_make(bytes, size);
    char *text = vgg_arena_alloc(arena, size + 1, 1);
    size_t length = 0;
    for (size_t i = 0; text != NULL && i < size / 4; i++) {
        const uint32_t c = (uint32_t)vgg_cursor_le(&in, 4);
        if (c == 0) {
            break;
        }
        length += put_utf8(c, text + length);
    }
    *out = (struct vgg_fact_item){.kind = VGG_ITEM_TEXT, .text = {text, (uint32_t)length}};
    return text != NULL;
}

static struct vgg_fact_item make_number(double number)
{
    return (struct vgg_fact_item){.kind = VGG_ITEM_NUMBER, .number = number};
}

/* A little-endian number of 4 or 8 bytes; integers of other sizes, too. */
static struct vgg_fact_item read_number(const struct array *array, const uint8_t *bytes)
{
    const unsigned size = (unsigned)array->type.item_bytes;
    struct vgg_cursor in = vgg_cursor_make(bytes, size);
    if (size > 8) {
        return (struct vgg_fact_item){.kind = VGG_ITEM_OTHER};
    }
    uint64_t raw = vgg_cursor_le(&in, size);
    if (array->type.kind == 'f' && size == 8) {
        double number;
        memcpy(&number, &raw, sizeof number);
        return make_number(number);
    }
    if (array->type.kind == 'f' && size == 4) {
        const uint32_t half = (uint32_t)raw;
        float number;
        memcpy(&number, &half, sizeof number);
        return make_number((double)number);
    }
    if (array->type.kind == 'u') {
        return make_number((double)raw);
    }
    if (array->type.kind != 'i') {
        return (struct vgg_fact_item){.kind = VGG_ITEM_OTHER};
    }
    const uint64_t sign = (uint64_t)1 << (8 * size - 1);
    return make_number((double)(int64_t)((raw ^ sign) - sign));
}

/* An element of an array. False: without memory. */
static bool read_element(const struct array *array, size_t index, struct vgg_arena *arena,
                         struct vgg_fact_item *out)
{
    if (array->type.kind == 'O') {
        const struct vgg_value *value = array->list->list.items[index];
        *out = (struct vgg_fact_item){.kind = VGG_ITEM_OTHER};
        if (value->kind == VGG_VALUE_TEXT) {
            *out = (struct vgg_fact_item){.kind = VGG_ITEM_TEXT, .text = value->text};
        }
        return true;
    }
    const uint8_t *bytes = array->bytes + index * array->type.item_bytes;
    if (array->type.kind == 'U') {
        return read_utf32(bytes, array->type.item_bytes, arena, out);
    }
    *out = read_number(array, bytes);
    return true;
}

/* ---- items ---- */

bool vgg_fact_read_item(const struct vgg_value *value, struct vgg_arena *arena,
                        struct vgg_fact_item *out)
{
    struct array array;
    bool found;
    value = vgg_value_unwrap(value);
    *out = (struct vgg_fact_item){.kind = VGG_ITEM_OTHER};
    switch (value->kind) {
    case VGG_VALUE_TEXT:
        *out = (struct vgg_fact_item){.kind = VGG_ITEM_TEXT, .text = value->text};
        return true;
    case VGG_VALUE_INT:
        *out = make_number((double)value->integer);
        return true;
    case VGG_VALUE_FLOAT:
        *out = make_number(value->real);
        return true;
    case VGG_VALUE_OBJECT:
        if (!read_array(value, arena, &array, &found)) {
            return false;
        }
        return !found || array.count != 1 || read_element(&array, 0, arena, out);
    default:
        return true;
    }
}

bool vgg_fact_read_list(const struct vgg_value *value, struct vgg_arena *arena,
                        struct vgg_fact_item **items, size_t *count)
{
    struct array array = {0};
    bool is_array = false;
    value = vgg_value_unwrap(value);
    *items = NULL;
    *count = 0;
    if (!is_list(value) && !read_array(value, arena, &array, &is_array)) {
        return false;
    }
    if (!is_list(value) && !is_array) {
        return true;
    }
    *count = is_array ? array.count : value->list.count;
    *items = vgg_arena_alloc(arena, *count + 1, sizeof **items);
    bool good = *items != NULL;
    for (size_t i = 0; i < *count && good; i++) {
        good = is_array ? read_element(&array, i, arena, &(*items)[i])
                        : vgg_fact_read_item(value->list.items[i], arena, &(*items)[i]);
    }
    return good;
}
