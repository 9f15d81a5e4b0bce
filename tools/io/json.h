/* SPDX-License-Identifier: MIT */
/* A JSON writer: it adds commas and indentation and keeps nothing in memory. */
#ifndef TOOLS_IO_JSON_H
#define TOOLS_IO_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_MAX_DEPTH = 16 };

struct json {
    FILE *out;
    bool pretty;                  /* one value a line, indented; else all on one line */
    int depth;                    /* open objects and arrays */
    bool filled[JSON_MAX_DEPTH];  /* whether a value stands before the next one */
    bool compact[JSON_MAX_DEPTH]; /* written on one line though the rest is pretty */
};

struct json json_make(FILE *out, bool pretty);

/* key is NULL inside arrays and for the outermost value. Small objects and arrays of numbers can be
 * kept on one line with compact. */
void json_open_object(struct json *json, const char *key, bool compact);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key, bool compact);
void json_close_array(struct json *json);

/* Bytes that are not UTF-8, as in a file's name, become U+FFFD; NULL becomes null. */
void json_string(struct json *json, const char *key, const char *text);
void json_integer(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* With this many significant digits: 9 carry a float exactly, 17 a double. NaN and the infinities,
 * which JSON lacks, are null. */
void json_number(struct json *json, const char *key, double value, int digits);
void json_null(struct json *json, const char *key);

#endif
