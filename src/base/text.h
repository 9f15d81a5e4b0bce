/* SPDX-License-Identifier: MIT */
/* Comparison of texts. */
#ifndef VGG_BASE_TEXT_H
#define VGG_BASE_TEXT_H

#include <stdbool.h>
#include <string.h>

/* Whether the last bytes of text [length] are end. */
static inline bool vgg_ends_with(const char *text, size_t length, const char *end)
{
    const size_t tail = strlen(end);
    return length >= tail && memcmp(text + length - tail, end, tail) == 0;
}

#endif
