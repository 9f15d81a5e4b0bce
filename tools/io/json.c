/* SPDX-License-Identifier: MIT */
/* A JSON writer. Decimals have a point because the program never leaves the C locale. */
#include "io/json.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct json json_make(FILE *out, bool pretty)
{
    return (struct json){.out = out, .pretty = pretty};
}

/* Ends the line and indents the next one, or writes the blank between two values of one line. */
static void break_line(struct json *json, bool blank)
{
    if (json->pretty && !json->compact[json->depth]) {
        fprintf(json->out, "\n%*s", 2 * json->depth, "");
    } else if (blank) {
        putc(' ', json->out);
    }
}

/* The length of the UTF-8 sequence at text, or 0: no overlong forms, no surrogates, to U+10FFFF. */
static int sequence_length(const unsigned char *text)
{
    unsigned char first = text[0];
    if (first < 0x80) {
        return 1;
    }
    int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (int i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static void write_text(FILE *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    putc('"', out);
    while (*p != '\0') {
        int length = sequence_length(p);
        if (length == 0) {
            fputs("\xef\xbf\xbd", out);
            p++;
        } else if (*p == '"' || *p == '\\') {
            fprintf(out, "\\%c", *p++);
        } else if (*p == '\n') {
            fputs("\\n", out);
            p++;
        } else if (*p < 0x20 || *p == 0x7f) {
            fprintf(out, "\\u%04x", *p++);
        } else {
            fwrite(p, 1, (size_t)length, out);
            p += length;
        }
    }
    putc('"', out);
}

static void begin_value(struct json *json, const char *key)
{
    bool *filled = &json->filled[json->depth];
    if (*filled) {
        putc(',', json->out);
    }
    if (json->depth > 0) {
        break_line(json, *filled);
    }
    *filled = true;
    if (key != NULL) {
        write_text(json->out, key);
        fputs(": ", json->out);
    }
}

static void open_group(struct json *json, const char *key, bool compact, char bracket)
{
    begin_value(json, key);
    assert(json->depth + 1 < JSON_MAX_DEPTH);
    putc(bracket, json->out);
    bool inherited = json->compact[json->depth];
    json->depth++;
    json->compact[json->depth] = compact || inherited;
    json->filled[json->depth] = false;
}

static void close_group(struct json *json, char bracket)
{
    bool filled = json->filled[json->depth];
    bool compact = json->compact[json->depth];
    json->depth--;
    if (filled && !compact) {
        break_line(json, false);
    }
    putc(bracket, json->out);
    if (json->depth == 0) {
        putc('\n', json->out);
        json->filled[0] = false;
    }
}

void json_open_object(struct json *json, const char *key, bool compact)
{
    open_group(json, key, compact, '{');
}

void json_close_object(struct json *json)
{
    close_group(json, '}');
}

void json_open_array(struct json *json, const char *key, bool compact)
{
    open_group(json, key, compact, '[');
}

void json_close_array(struct json *json)
{
    close_group(json, ']');
}

void json_string(struct json *json, const char *key, const char *text)
{
    if (text == NULL) {
        json_null(json, key);
        return;
    }
    begin_value(json, key);
    write_text(json->out, text);
}

void json_integer(struct json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    fprintf(json->out, "%lld", (long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    fputs(value ? "true" : "false", json->out);
}

void json_number(struct json *json, const char *key, double value, int digits)
{
    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    begin_value(json, key);
    fprintf(json->out, "%.*g", digits, value);
}

void json_null(struct json *json, const char *key)
{
    begin_value(json, key);
    fputs("null", json->out);
}
