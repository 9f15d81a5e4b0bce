/* SPDX-License-Identifier: MIT */
/* A growing buffer, for data that is written piece by piece. */
#ifndef VGG_BASE_BYTES_H
#define VGG_BASE_BYTES_H

#include <string.h>

#include "base/mem.h"

struct vgg_bytes {
    uint8_t *data;
    size_t size, capacity;
    bool ok; /* set to true at first; false once there was no memory */
    const struct vgg_allocator *allocator;
};

void vgg_bytes_add(struct vgg_bytes *bytes, const void *data, size_t count);
/* A number of 1 to 8 bytes, little-endian. */
void vgg_bytes_add_le(struct vgg_bytes *bytes, uint64_t value, unsigned count);
static inline void vgg_bytes_add_text(struct vgg_bytes *bytes, const char *text)
{
    vgg_bytes_add(bytes, text, strlen(text));
}
/* As a JSON string; the text is valid UTF-8 without control characters, as names and labels are. */
void vgg_bytes_add_string(struct vgg_bytes *json, const char *text);

#endif
