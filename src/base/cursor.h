/* SPDX-License-Identifier: MIT */
/* A bounded reader with a sticky failure flag: read a whole record, then check `ok` once. */
#ifndef VGG_BASE_CURSOR_H
#define VGG_BASE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct vgg_cursor {
    const uint8_t *data;
    size_t size;   /* bytes in data */
    size_t offset; /* next byte; <= size */
    bool ok;       /* false once a read went past the end; reads then yield zeros */
};

static inline struct vgg_cursor vgg_cursor_make(const void *data, size_t size)
{
    return (struct vgg_cursor){
        .data = (const uint8_t *)data, .size = size, .offset = 0, .ok = true};
}

static inline size_t vgg_cursor_left(const struct vgg_cursor *cursor)
{
    return cursor->size - cursor->offset;
}

/* The next count bytes, borrowed from data; NULL (and not ok) when there are fewer. */
static inline const uint8_t *vgg_cursor_take(struct vgg_cursor *cursor, uint64_t count)
{
    if (!cursor->ok || count > vgg_cursor_left(cursor)) {
        cursor->ok = false;
        return NULL;
    }
    const uint8_t *bytes = cursor->data + cursor->offset;
    cursor->offset += (size_t)count;
    return bytes;
}

/* An unsigned little-endian number of 1 to 8 bytes. */
static inline uint64_t vgg_cursor_le(struct vgg_cursor *cursor, unsigned bytes)
{
    const uint8_t *p = vgg_cursor_take(cursor, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; p != NULL && i < bytes; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

#endif
