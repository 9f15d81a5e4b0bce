/* SPDX-License-Identifier: MIT */
/* Shows characters of untrusted text that would steer a terminal, reorder its line or break it: vgg_text_show. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vgg/status.h"

/* First and last of Unicode's control and format characters and separators of lines and paragraphs: the categories Cc, Cf,
 * Zl and Zp of Unicode 14 to 16. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},
    {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},
    {0x8e2, 0x8e2},     {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
    {0x2060, 0x2064},   {0x2066, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
};

static bool is_hidden(uint32_t character)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (character >= hidden[i].first && character <= hidden[i].last) {
            return true;
        }
    }
    return false;
}

/* Decodes a character; returns its length, or 0 for bytes that are no UTF-8. */
static size_t decode(const unsigned char *text, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = text[0];
    const size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first < 0x80) {
        *character = first;
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    *character = first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) { /* a 0 at the end stops this */
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        *character = *character << 6 | (text[i] & 0x3fu);
    }
    const bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return *character < smallest[length] || *character > 0x10ffff || surrogate ? 0 : length;
}

size_t vgg_text_show(const char *text, char out[VGG_SHOWN_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t character = 0;
    out[0] = '\0';
    if (text[0] == '\0') {
        return 0;
    }
    const size_t length = decode(bytes, &character);
    if (length <= 1 && (length == 0 || is_hidden(character))) {
        snprintf(out, VGG_SHOWN_BYTES, "\\x%02x", bytes[0]);
        return 1;
    }
    if (is_hidden(character)) {
        snprintf(out, VGG_SHOWN_BYTES, character > 0xffff ? "\\U%08x" : "\\u%04x",
                 (unsigned)character);
    } else {
        memcpy(out, text, length);
        out[length] = '\0';
    }
    return length;
}
