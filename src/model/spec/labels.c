/* SPDX-License-Identifier: MIT */
/* Reads class names from a text file with one name per line, or from a built-in list. */
#include "model/spec/labels.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/spec/builtin.h"

/* Of the names of built-in lists. */
static const char suffix[] = "_labels.txt";

/* Length in bytes of the UTF-8 character at text; 0 for stray and missing continuation bytes, overlong forms,
 * surrogates and numbers past U+10FFFF. */
static size_t utf8_length(const unsigned char *text, size_t left)
{
    unsigned char first = text[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
        (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f)) {
        return 0;
    }
    return length;
}

const char *vgg_label_check(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (size > VGG_MAX_LABEL_BYTES) {
        return "is too long";
    }
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(bytes + i, size - i);
        if (length == 0) {
            return "is not UTF-8";
        }
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            return "holds a control character";
        }
        i += length;
    }
    return NULL;
}

/* Length of the line at text without its end; *next is the offset of the next line. */
static size_t line_length(const char *text, size_t left, size_t *next)
{
    const char *end = memchr(text, '\n', left);
    size_t length = end != NULL ? (size_t)(end - text) : left;
    *next = end != NULL ? length + 1 : length;
    return length > 0 && text[length - 1] == '\r' ? length - 1 : length;
}

static size_t count_lines(const char *text, size_t size)
{
    size_t lines = text[size - 1] != '\n';
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    return lines;
}

vgg_status vgg_labels_parse(const struct vgg_load *load, const void *data, size_t size,
                            struct vgg_labels *out)
{
    const char *text = data;
    struct vgg_labels labels = {0};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (size == 0) {
        return vgg_fail(load->err, VGG_ERR_FORMAT,
                        "%s: expected class names, one per line, found an empty file", load->path);
    }
    const size_t lines = count_lines(text, size);
    labels.names = vgg_load_alloc(load, lines, sizeof *labels.names);
    if (labels.names == NULL) {
        return vgg_load_fail_memory(load, lines * sizeof *labels.names, "the labels");
    }
    for (size_t at = 0, next; at < size; at += next) {
        size_t length = line_length(text + at, size - at, &next);
        const char *problem = vgg_label_check(text + at, length);
        if (problem != NULL) {
            return vgg_fail(load->err, VGG_ERR_FORMAT, "%s: line %zu %s", load->path,
                            labels.count + 1, problem);
        }
        const char *name = vgg_arena_copy_string(load->arena, text + at, length);
        if (name == NULL) {
            return vgg_load_fail_memory(load, length + 1, "a label");
        }
        labels.names[labels.count++] = name;
    }
    *out = labels;
    return VGG_OK;
}

vgg_status vgg_labels_open(const struct vgg_load *load, struct vgg_labels *out)
{
    struct vgg_file file;
    vgg_status status =
        vgg_file_read_regular(load->path, load->limits->json_bytes,
                              vgg_allocator_of(load->arena->context), &file, load->err);
    if (status != VGG_OK) {
        return status;
    }
    status = vgg_labels_parse(load, file.data, file.size, out);
    vgg_file_close(&file);
    return status;
}

/* The file of a built-in list of class names is called NAME_labels.txt; NULL: there is no such list. */
static const struct vgg_builtin *find_list(const char *name)
{
    char file[64];
    const int length = snprintf(file, sizeof file, "%s%s", name, suffix);
    return length > 0 && (size_t)length < sizeof file ? vgg_builtin_find(file) : NULL;
}

bool vgg_labels_is_builtin(const char *name)
{
    return find_list(name) != NULL;
}

/* Fails with the names of all lists. */
static vgg_status fail_unknown(const char *name, struct vgg_error *err)
{
    struct vgg_text names = {0};
    for (const struct vgg_builtin *file = vgg_builtins; file->name != NULL; file++) {
        const char *end = strstr(file->name, suffix);
        if (end != NULL) {
            vgg_text_add(&names, "%.*s, ", (int)(end - file->name), file->name);
        }
    }
    return vgg_fail(err, VGG_ERR_ARGUMENT, "labels: expected %sor a list, found \"%.*s\"",
                    names.buffer, VGG_SHOWN_TEXT(name, 100));
}

vgg_status vgg_labels_find(const char *name, struct vgg_arena *arena, struct vgg_labels *out,
                           struct vgg_error *err)
{
    const struct vgg_builtin *file = find_list(name);
    if (file == NULL) {
        return fail_unknown(name, err);
    }
    const struct vgg_load load = {.path = file->name, .arena = arena, .err = err};
    return vgg_labels_parse(&load, file->data, file->size, out);
}

vgg_status vgg_labels_fit(const char *path, int outputs, struct vgg_arena *arena,
                          struct vgg_labels *labels, struct vgg_error *err)
{
    static const char negation[] = "not ";
    if (outputs != 1 || labels->count > 2) {
        return labels->count == (size_t)outputs ? VGG_OK : VGG_ERR_MISMATCH;
    }
    if (labels->count != 1) {
        return VGG_OK;
    }
    const size_t length = strlen(labels->names[0]);
    const char **names = vgg_arena_alloc(arena, 2, sizeof *names);
    char *other = vgg_arena_alloc(arena, length + sizeof negation, 1);
    if (names == NULL || other == NULL) {
        return vgg_fail_memory(err, path, length + sizeof negation, "a label");
    }
    memcpy(other, negation, sizeof negation - 1);
    memcpy(other + sizeof negation - 1, labels->names[0], length);
    names[0] = other;
    names[1] = labels->names[0];
    *labels = (struct vgg_labels){.names = names, .count = 2};
    return VGG_OK;
}
