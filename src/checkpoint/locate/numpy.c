/* SPDX-License-Identifier: MIT */
/* NumPy's arrays in a pickle. */
#include "checkpoint/locate/numpy.h"

enum {
    ELEMENT_BYTES_MAX = 1 << 14,
    /* The first byte of the last characters of Latin-1 in UTF-8. */
    LATIN1_LEAD_MAX = 0xc3,
    /* Many calls can have one text. A text of this many bytes is replaced, so that it does not take memory for each call; a
     * shorter one can also be a key of a dict, because Python has one object for all equal texts of one character. */
    SHARED_MIN = 256
};

static bool is_list(const struct vgg_value *value)
{
    return value->kind == VGG_VALUE_LIST || value->kind == VGG_VALUE_TUPLE;
}

static bool is_object_of(const struct vgg_value *value, const char *name)
{
    return value->kind == VGG_VALUE_OBJECT &&
           vgg_span_equals(value->object.callee->global.name, name);
}

bool vgg_array_read_type(const struct vgg_value *dtype, struct vgg_array_type *out)
{
    if (!is_object_of(dtype, "dtype") || dtype->object.args->list.count == 0 ||
        dtype->object.state == NULL || !is_list(dtype->object.state) ||
        dtype->object.state->list.count < 7) {
        return false;
    }
    const struct vgg_value *name = dtype->object.args->list.items[0];
    const struct vgg_value *order = dtype->object.state->list.items[1];
    if (name->kind != VGG_VALUE_TEXT || name->text.length < 2 || name->text.length > 8 ||
        order->kind != VGG_VALUE_TEXT) {
        return false;
    }
    *out = (struct vgg_array_type){.kind = name->text.bytes[0],
                                   .big = vgg_span_equals(order->text, ">")};
    for (uint32_t i = 1; i < name->text.length; i++) {
        const char digit = name->text.bytes[i];
        if (digit < '0' || digit > '9') {
            return false;
        }
        out->item_bytes = 10 * out->item_bytes + (size_t)(digit - '0');
    }
    out->item_bytes *= out->kind == 'U' ? 4 : 1; /* UTF-32 */
    return out->item_bytes > 0 && out->item_bytes <= ELEMENT_BYTES_MAX;
}

static bool read_shape(const struct vgg_value *shape, struct vgg_array *out)
{
    if (!is_list(shape) || shape->list.count > VGG_MAX_DIMS) {
        return false;
    }
    out->ndim = (int)shape->list.count;
    for (int i = 0; i < out->ndim; i++) {
        const struct vgg_value *side = shape->list.items[i];
        if (side->kind != VGG_VALUE_INT || side->integer < 0) {
            return false;
        }
        out->shape[i] = side->integer;
    }
    return true;
}

/* _frombuffer(data, dtype, shape, order), as protocol 5 has it. */
static bool read_buffer(const struct vgg_value *args, struct vgg_array *out)
{
    if (args->list.count != 4) {
        return false;
    }
    const struct vgg_value *order = args->list.items[3];
    out->fortran = order->kind == VGG_VALUE_TEXT && vgg_span_equals(order->text, "F");
    out->data = args->list.items[0];
    return vgg_array_read_type(args->list.items[1], &out->type) &&
           read_shape(args->list.items[2], out);
}

bool vgg_array_read(const struct vgg_value *value, struct vgg_array *out)
{
    *out = (struct vgg_array){0};
    if (is_object_of(value, "_frombuffer")) {
        return read_buffer(value->object.args, out);
    }
    /* BUILD's (version, shape, dtype, is_fortran, data) */
    if (!is_object_of(value, "_reconstruct") || value->object.state == NULL ||
        !is_list(value->object.state) || value->object.state->list.count != 5) {
        return false;
    }
    struct vgg_value **parts = value->object.state->list.items;
    out->fortran = parts[3]->kind == VGG_VALUE_BOOL && parts[3]->boolean;
    out->data = parts[4];
    return vgg_array_read_type(parts[2], &out->type) && read_shape(parts[1], out);
}

/* Whether each character of a text stands for a byte. Python refuses other texts. */
static bool is_latin1(struct vgg_span text)
{
    for (uint32_t i = 0; i < text.length; i++) {
        if ((uint8_t)text.bytes[i] > LATIN1_LEAD_MAX) {
            return false;
        }
    }
    return true;
}

bool vgg_array_decode(struct vgg_value *data, struct vgg_arena *arena)
{
    struct vgg_value *text = data;
    if (is_object_of(data, "bytearray") && data->object.args->list.count > 0) {
        text = data->object.args->list.items[0];
    } else if (is_object_of(data, "encode") && data->object.args->list.count > 0) {
        text = data->object.args->list.items[0];
    }
    if (text == data || (text->kind != VGG_VALUE_TEXT && text->kind != VGG_VALUE_BYTES)) {
        return true;
    }
    const struct vgg_span in = text->text;
    if (text->kind == VGG_VALUE_BYTES) {
        *data = (struct vgg_value){.kind = VGG_VALUE_BYTES, .text = in};
        return true;
    }
    if (!is_latin1(in)) {
        return true;
    }
    char *bytes = vgg_arena_alloc(arena, (size_t)in.length + 1, 1);
    uint32_t count = 0;
    if (bytes == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < in.length; i++) {
        const uint8_t byte = (uint8_t)in.bytes[i];
        const bool two = byte >= 0xc0 && i + 1 < in.length;
        bytes[count++] = (char)(two ? byte << 6 | (in.bytes[i + 1] & 0x3f) : byte);
        i += two;
    }
    *data = (struct vgg_value){.kind = VGG_VALUE_BYTES, .text = {bytes, count}};
    if (in.length >= SHARED_MIN) {
        *text = *data;
    }
    return true;
}
