/* SPDX-License-Identifier: MIT */
/* Reads an expression in the code of a TorchScript archive: what it stands for, and the steps that its calls take. */
#ifndef VGG_CHECKPOINT_SCRIPT_EXPRESSION_H
#define VGG_CHECKPOINT_SCRIPT_EXPRESSION_H

#include "checkpoint/script/code.h"
#include "checkpoint/script/recorder.h"

/* A name is set again by a variable of its own: the last one counts. */
struct vgg_variable {
    struct vgg_span name;
    struct vgg_term value;
};

/* A function that is being followed. */
struct vgg_frame {
    const struct vgg_code_function *function;
    struct vgg_variable *variables;
    size_t count, capacity;
    /* The next token. */
    const struct vgg_token *at;
    struct vgg_term result;
};

struct vgg_follower {
    struct vgg_code *code;
    struct vgg_recorder *recorder;
    struct vgg_arena *scratch;
    /* CONSTANTS.c0, …: a list or tuple; NULL: not known. */
    const struct vgg_value *constants;
    /* The constants are weights; else only numbers are taken. */
    bool is_frozen;
    /* Has the storages of the constants. */
    const struct vgg_archive *archive;
    /* What may still be looked at: tokens, variables and attributes. */
    size_t steps_left;
    /* Calls and expressions in each other. */
    int depth;
    /* Follows a function to its result.
     *   self  whose method it is; NULL: it is none */
    bool (*run)(struct vgg_follower *follower, const struct vgg_code_function *function,
                const struct vgg_value *self, const struct vgg_arguments *arguments,
                struct vgg_term *out);
};

/* Reads the expression at the frame's next token, and moves behind it. Returns false after vgg_recorder_stop, as all of
 * these do. */
bool vgg_expression_read(struct vgg_follower *follower, struct vgg_frame *frame,
                         struct vgg_term *out);

bool vgg_frame_set(struct vgg_follower *follower, struct vgg_frame *frame, struct vgg_span name,
                   const struct vgg_term *value);

/* Moves behind a mark, which must be the next token. */
bool vgg_frame_expect(struct vgg_follower *follower, struct vgg_frame *frame, char mark);

/* Stops at a token that is not understood. */
bool vgg_frame_stop(const struct vgg_follower *follower, const struct vgg_frame *frame);

/* Pays for looking at a number of things. */
bool vgg_follower_pay(struct vgg_follower *follower, size_t steps);

/* Goes one call or expression deeper; `depth` is one more in any case. */
bool vgg_follower_enter(struct vgg_follower *follower);

/* term[index], and the part of a term that is unpacked. */
struct vgg_term vgg_expression_get_item(const struct vgg_term *term, int64_t index);

#endif
