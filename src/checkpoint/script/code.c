/* SPDX-License-Identifier: MIT */
/* The functions in the code of a TorchScript archive, by name; files are read when something in them is looked for. */
#include "checkpoint/script/code.h"

#include <stdio.h>

enum {
    BYTES_MAX = 8 << 20,
    TOKENS_MAX = 1 << 20,
    COMPARISONS_MAX = 20 << 20, /* of names, in all searches */
    PATH_BYTES_MAX = 400,
};

struct vgg_code_file {
    struct vgg_code_file *next;
    struct vgg_span module;
    struct vgg_code_function *functions;
    size_t count;
};

void vgg_code_init(const struct vgg_archive *archive, struct vgg_arena *scratch,
                   struct vgg_code *out)
{
    *out = (struct vgg_code){.archive = *archive,
                             .bytes_left = BYTES_MAX,
                             .tokens_left = TOKENS_MAX,
                             .comparisons_left = COMPARISONS_MAX};
    out->archive.load = vgg_load_quietly(&archive->load);
    out->archive.load.arena = scratch;
}

/* The tokens of a file; NULL: it cannot be read. */
static const struct vgg_token *read_tokens(struct vgg_code *code, struct vgg_span module,
                                           size_t *count)
{
    char path[PATH_BYTES_MAX + 10];
    struct vgg_token *tokens;
    struct vgg_member member = {0};
    if (module.length > PATH_BYTES_MAX) {
        return NULL;
    }
    snprintf(path, sizeof path, "code/%.*s.py", (int)module.length, module.bytes);
    for (size_t i = 0; i < module.length; i++) {
        path[sizeof "code/" - 1 + i] = module.bytes[i] == '.' ? '/' : module.bytes[i];
    }
    vgg_status status = code->archive.read_member(&code->archive, path, code->bytes_left, &member);
    if (status == VGG_OK && member.data != NULL) {
        code->bytes_left -= member.size;
        status =
            vgg_tokens_read((struct vgg_span){(const char *)member.data, (uint32_t)member.size},
                            code->archive.load.arena, code->tokens_left, &tokens, count);
    }
    code->no_memory = code->no_memory || status == VGG_ERR_MEMORY;
    if (status != VGG_OK || member.data == NULL) {
        return NULL;
    }
    code->tokens_left -= *count;
    return tokens;
}

/* Reads "def NAME(…) -> TYPE:" at its name; the body begins on the next line. */
static bool read_function(const struct vgg_token *token, uint32_t indent,
                          struct vgg_code_function *out)
{
    const bool named = token[0].kind == VGG_TOKEN_NAME && vgg_token_is_mark(&token[1], '(');
    if (!named) {
        return false;
    }
    out->name = vgg_token_span(token);
    out->params = token + 2;
    for (token += 2; token->kind != VGG_TOKEN_LINE; token++) {
        if (token->kind == VGG_TOKEN_END) {
            return false;
        }
    }
    out->body = token;
    return token->length > indent && vgg_token_is_mark(token - 1, ':');
}

/* Lists the functions of a file; counts them only while functions is NULL. */
static size_t list_functions(const struct vgg_token *tokens, size_t count,
                             struct vgg_code_function *functions)
{
    const struct vgg_span none = {"", 0};
    struct vgg_span class_name = none;
    size_t found = 0;
    for (size_t i = 0; i + 2 < count; i++) {
        const struct vgg_token *line = &tokens[i];
        struct vgg_code_function function;
        if (line->kind != VGG_TOKEN_LINE) {
            continue;
        }
        if (line->length == 0) {
            class_name =
                vgg_token_is(&line[1], VGG_TOKEN_NAME, "class") ? vgg_token_span(&line[2]) : none;
        }
        function.class_name = class_name;
        if (vgg_token_is(&line[1], VGG_TOKEN_NAME, "def") && i + 3 < count &&
            read_function(&line[2], line->length, &function)) {
            if (functions != NULL) {
                functions[found] = function;
            }
            found++;
        }
    }
    return found;
}

static struct vgg_code_file *open_file(struct vgg_code *code, struct vgg_span module)
{
    struct vgg_arena *arena = code->archive.load.arena;
    struct vgg_code_file *file = vgg_arena_alloc(arena, 1, sizeof *file);
    const char *name = vgg_arena_copy_string(arena, module.bytes, module.length);
    if (file == NULL || name == NULL) {
        code->no_memory = true;
        return NULL;
    }
    *file = (struct vgg_code_file){code->files, {name, module.length}, NULL, 0};
    code->files = file;
    size_t count = 0;
    const struct vgg_token *tokens = read_tokens(code, module, &count);
    const size_t functions = tokens != NULL ? list_functions(tokens, count, NULL) : 0;
    if (functions > 0) {
        file->functions = vgg_arena_alloc(arena, functions, sizeof *file->functions);
        code->no_memory = code->no_memory || file->functions == NULL;
    }
    if (file->functions != NULL) {
        file->count = list_functions(tokens, count, file->functions);
    }
    return file;
}

/* Compares two names, as long as that is allowed: an archive can have many functions, and call them often. */
static bool is_same(struct vgg_code *code, struct vgg_span a, struct vgg_span b)
{
    if (code->comparisons_left == 0) {
        return false;
    }
    code->comparisons_left--;
    return vgg_span_compare(a, b) == 0;
}

const struct vgg_code_function *vgg_code_find(struct vgg_code *code, struct vgg_span module,
                                              struct vgg_span class_name, struct vgg_span name)
{
    struct vgg_code_file *file = code->files;
    while (file != NULL && !is_same(code, file->module, module)) {
        file = file->next;
    }
    if (file == NULL && code->comparisons_left > 0) {
        file = open_file(code, module);
    }
    for (size_t i = 0; file != NULL && i < file->count; i++) {
        const struct vgg_code_function *function = &file->functions[i];
        if (is_same(code, function->name, name) &&
            is_same(code, function->class_name, class_name)) {
            return function;
        }
    }
    return NULL;
}
