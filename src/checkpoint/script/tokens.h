/* SPDX-License-Identifier: MIT */
/* Splits the code of a TorchScript archive into tokens: the subset of Python that PyTorch writes. */
#ifndef VGG_CHECKPOINT_SCRIPT_TOKENS_H
#define VGG_CHECKPOINT_SCRIPT_TOKENS_H

#include "base/mem.h"
#include "base/status.h"
#include "checkpoint/pickle/value.h"

enum vgg_token_kind {
    /* The beginning of a line, but not of one that continues a bracket; `length` is the indentation. */
    VGG_TOKEN_LINE,
    VGG_TOKEN_NAME,
    VGG_TOKEN_NUMBER,
    /* Between its quotes, as written. */
    VGG_TOKEN_TEXT,
    /* One byte of punctuation. */
    VGG_TOKEN_MARK,
    VGG_TOKEN_END,
};

struct vgg_token {
    enum vgg_token_kind kind;
    uint32_t length;
    /* In the code, not terminated. */
    const char *bytes;
};

/* Brackets in each other. */
enum { VGG_BRACKETS_MAX = 100 };

/* Reads all tokens; the last one is END. Brackets are closed in the order in which they are opened.
 *   arena  owns the tokens, which borrow the code
 *   max    number of tokens
 * Errors: FORMAT (a text or bracket without end, a character that no code has, brackets too deep), LIMIT, MEMORY. */
vgg_status vgg_tokens_read(struct vgg_span code, struct vgg_arena *arena, size_t max,
                           struct vgg_token **out, size_t *count);

static inline bool vgg_token_is(const struct vgg_token *token, enum vgg_token_kind kind,
                                const char *text)
{
    return token->kind == kind && strlen(text) == token->length &&
           memcmp(token->bytes, text, token->length) == 0;
}

static inline bool vgg_token_is_mark(const struct vgg_token *token, char mark)
{
    return token->kind == VGG_TOKEN_MARK && token->bytes[0] == mark;
}

static inline struct vgg_span vgg_token_span(const struct vgg_token *token)
{
    return (struct vgg_span){token->bytes, token->length};
}

#endif
