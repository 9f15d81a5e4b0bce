/* SPDX-License-Identifier: MIT */
/* The functions in the code of a TorchScript archive, by name; files are read when something in them is looked for. */
#ifndef VGG_CHECKPOINT_SCRIPT_CODE_H
#define VGG_CHECKPOINT_SCRIPT_CODE_H

#include "checkpoint/container/archive.h"
#include "checkpoint/script/tokens.h"

/* A function or a method. */
struct vgg_code_function {
    /* Empty: it is no method. */
    struct vgg_span class_name;
    struct vgg_span name;
    /* The token after the bracket that opens the parameters, and the LINE that begins the body. */
    const struct vgg_token *params, *body;
};

struct vgg_code_file;

struct vgg_code {
    /* Reads members into the arena below. */
    struct vgg_archive archive;
    struct vgg_code_file *files;
    /* What may still be read. */
    size_t bytes_left, tokens_left, comparisons_left;
    /* An allocation failed. */
    bool no_memory;
};

/* The archive must have read_member.
 *   scratch  owns all of the code */
void vgg_code_init(const struct vgg_archive *archive, struct vgg_arena *scratch,
                   struct vgg_code *out);

/* Finds a function of code/MODULE.py. A qualified name has the module with dots: "__torch__.torch.nn.functional".
 *   class_name  empty: no method
 * NULL: there is none, or the file cannot be read. */
const struct vgg_code_function *vgg_code_find(struct vgg_code *code, struct vgg_span module,
                                              struct vgg_span class_name, struct vgg_span name);

#endif
