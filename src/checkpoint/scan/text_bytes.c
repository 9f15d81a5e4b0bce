/* SPDX-License-Identifier: MIT */
/* Texts to Latin-1. */
#include "checkpoint/scan/text_bytes.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The number of an escape, a backslash, u and four hexadecimal digits, at the beginning of text; -1 where there is none. */
static int read_escape(const char *text, size_t length)
{
    int code = 0;
    if (length < 6 || text[0] != '\\' || text[1] != 'u') {
        return -1;
    }
    for (int i = 2; i < 6; i++) {
        const int digit = hex_digit(text[i]);
        if (digit < 0) {
            return -1;
        }
        code = code << 4 | digit;
    }
    return code;
}

size_t vgg_text_to_bytes(struct vgg_span text, bool line, uint8_t *out)
{
    size_t used = 0;
    for (size_t i = 0; i < text.length; used++) {
        const uint8_t c = (uint8_t)text.bytes[i];
        const size_t left = text.length - i;
        const int escape = line ? read_escape(text.bytes + i, left) : -1;
        if (escape >= 0) {
            out[used] = escape <= 0xff ? (uint8_t)escape : 0xff;
            i += 6;
        } else if (!line && (c & 0xfc) == 0xc0 && left > 1) {
            out[used] = (uint8_t)(c << 6 | ((uint8_t)text.bytes[i + 1] & 0x3f));
            i += 2;
        } else {
            out[used] = line || c < 0x80 ? c : 0xff;
            i++;
        }
    }
    return used;
}
