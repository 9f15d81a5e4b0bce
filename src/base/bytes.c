/* SPDX-License-Identifier: MIT */
/* A growing buffer. */
#include "base/bytes.h"

void vgg_bytes_add(struct vgg_bytes *bytes, const void *data, size_t count)
{
    if (count > bytes->capacity - bytes->size && bytes->ok) {
        const size_t capacity = 2 * (bytes->size + count);
        uint8_t *grown = vgg_mem_grow(bytes->allocator, bytes->data, bytes->size, capacity);
        bytes->ok = grown != NULL;
        if (bytes->ok) {
            bytes->data = grown;
            bytes->capacity = capacity;
        }
    }
    if (bytes->ok && count > 0) {
        memcpy(bytes->data + bytes->size, data, count);
        bytes->size += count;
    }
}

void vgg_bytes_add_le(struct vgg_bytes *bytes, uint64_t value, unsigned count)
{
    uint8_t little[8];
    for (unsigned i = 0; i < count; i++) {
        little[i] = (uint8_t)(value >> (8 * i));
    }
    vgg_bytes_add(bytes, little, count);
}

void vgg_bytes_add_string(struct vgg_bytes *json, const char *text)
{
    vgg_bytes_add(json, "\"", 1);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            vgg_bytes_add(json, "\\", 1);
        }
        vgg_bytes_add(json, p, 1);
    }
    vgg_bytes_add(json, "\"", 1);
}
