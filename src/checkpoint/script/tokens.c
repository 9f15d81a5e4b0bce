/* SPDX-License-Identifier: MIT */
/* Splits the code of a TorchScript archive into tokens: the subset of Python that PyTorch writes. */
#include "checkpoint/script/tokens.h"

struct lexer {
    const char *at, *end;
    char open[VGG_BRACKETS_MAX];
    size_t depth;
    /* NULL: they are only counted. */
    struct vgg_token *tokens;
    size_t count, max;
};

/* In ASCII, whatever the locale. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static vgg_status add(struct lexer *lexer, enum vgg_token_kind kind, const char *bytes,
                      size_t length)
{
    if (lexer->count >= lexer->max || length > UINT32_MAX) {
        return VGG_ERR_LIMIT;
    }
    if (lexer->tokens != NULL) {
        lexer->tokens[lexer->count] = (struct vgg_token){kind, (uint32_t)length, bytes};
    }
    lexer->count++;
    return VGG_OK;
}

/* Begins a line, unless it is empty or a comment. */
static vgg_status read_line(struct lexer *lexer)
{
    const char *begin = lexer->at;
    while (lexer->at < lexer->end && *lexer->at == ' ') {
        lexer->at++;
    }
    const bool empty =
        lexer->at == lexer->end || *lexer->at == '\n' || *lexer->at == '\r' || *lexer->at == '#';
    return empty ? VGG_OK : add(lexer, VGG_TOKEN_LINE, begin, (size_t)(lexer->at - begin));
}

static vgg_status read_name(struct lexer *lexer)
{
    const char *begin = lexer->at;
    while (lexer->at < lexer->end && (is_letter(*lexer->at) || is_digit(*lexer->at))) {
        lexer->at++;
    }
    return add(lexer, VGG_TOKEN_NAME, begin, (size_t)(lexer->at - begin));
}

/* Digits, point and exponent; whether they make a number is seen when it is read. */
static vgg_status read_number(struct lexer *lexer)
{
    const char *begin = lexer->at;
    while (lexer->at < lexer->end) {
        const char c = *lexer->at;
        const bool sign = (c == '-' || c == '+') && lexer->at[-1] == 'e';
        if (!is_digit(c) && c != '.' && c != 'e' && !sign) {
            break;
        }
        lexer->at++;
    }
    return add(lexer, VGG_TOKEN_NUMBER, begin, (size_t)(lexer->at - begin));
}

static vgg_status read_text(struct lexer *lexer)
{
    const char quote = *lexer->at++;
    const char *begin = lexer->at;
    while (lexer->at < lexer->end && *lexer->at != quote && *lexer->at != '\n') {
        lexer->at += *lexer->at == '\\' && lexer->end - lexer->at > 1 ? 2 : 1;
    }
    if (lexer->at == lexer->end || *lexer->at != quote) {
        return VGG_ERR_FORMAT;
    }
    return add(lexer, VGG_TOKEN_TEXT, begin, (size_t)(lexer->at++ - begin));
}

static vgg_status read_mark(struct lexer *lexer)
{
    static const char openers[] = "([{", closers[] = ")]}";
    const char c = *lexer->at;
    if (c < '!' || c > '~') {
        return VGG_ERR_FORMAT;
    }
    const char *closer = strchr(closers, c);
    if (strchr(openers, c) != NULL) {
        if (lexer->depth == VGG_BRACKETS_MAX) {
            return VGG_ERR_FORMAT;
        }
        lexer->open[lexer->depth++] = c;
    } else if (closer != NULL &&
               (lexer->depth == 0 || lexer->open[--lexer->depth] != openers[closer - closers])) {
        return VGG_ERR_FORMAT;
    }
    return add(lexer, VGG_TOKEN_MARK, lexer->at++, 1);
}

/* Reads one token, or the space before it. */
static vgg_status read_next(struct lexer *lexer)
{
    const char c = *lexer->at;
    if (c == '\n') {
        lexer->at++;
        return lexer->depth == 0 ? read_line(lexer) : VGG_OK;
    }
    if (c == ' ' || c == '\t' || c == '\r') {
        lexer->at++;
        return VGG_OK;
    }
    if (c == '#') {
        const char *newline = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));
        lexer->at = newline != NULL ? newline : lexer->end;
        return VGG_OK;
    }
    if (is_letter(c)) {
        return read_name(lexer);
    }
    if (is_digit(c)) {
        return read_number(lexer);
    }
    return c == '"' || c == '\'' ? read_text(lexer) : read_mark(lexer);
}

static vgg_status read_all(struct lexer *lexer, struct vgg_span code)
{
    lexer->at = code.bytes;
    lexer->end = code.bytes + code.length;
    lexer->count = lexer->depth = 0;
    vgg_status status = read_line(lexer);
    while (status == VGG_OK && lexer->at < lexer->end) {
        status = read_next(lexer);
    }
    if (status == VGG_OK && lexer->depth > 0) {
        return VGG_ERR_FORMAT;
    }
    return status ? status : add(lexer, VGG_TOKEN_END, lexer->end, 0);
}

vgg_status vgg_tokens_read(struct vgg_span code, struct vgg_arena *arena, size_t max,
                           struct vgg_token **out, size_t *count)
{
    struct lexer lexer = {.max = max};
    vgg_status status = read_all(&lexer, code);
    if (status != VGG_OK) {
        return status;
    }
    lexer.tokens = vgg_arena_alloc(arena, lexer.count, sizeof *lexer.tokens);
    if (lexer.tokens == NULL) {
        return VGG_ERR_MEMORY;
    }
    status = read_all(&lexer, code);
    *out = lexer.tokens;
    *count = lexer.count;
    return status;
}
