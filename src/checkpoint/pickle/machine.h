/* SPDX-License-Identifier: MIT */
/* The state of a pickle that is being read. Only for pickle.c (the loop), ops.c (the opcodes) and stack.c. */
#ifndef VGG_CHECKPOINT_PICKLE_MACHINE_H
#define VGG_CHECKPOINT_PICKLE_MACHINE_H

#include "base/load.h"
#include "checkpoint/pickle/input.h"
#include "checkpoint/pickle/value.h"

/* Values on a stack, or by index; grows by doubling. */
struct vgg_value_stack {
    struct vgg_value **items;
    size_t count, capacity;
};

struct vgg_pickle_machine {
    const struct vgg_load *load;
    const struct vgg_pickle_source *source;
    struct vgg_pickle_input in;
    size_t opcode_offset;
    uint64_t steps;       /* opcodes, and items copied */
    uint64_t value_bytes; /* taken from the arena */
    size_t frame_end;     /* of the last FRAME; 0 before it */
    size_t fence;         /* the stack's items below belong to outer marks */
    struct vgg_value_stack stack;
    size_t *marks; /* fences to return to */
    size_t mark_count, mark_capacity;
    struct vgg_value_stack memo; /* by index; NULL: empty */
    size_t memo_count;
    struct vgg_value_stack persistents;
    /* Of the first name that something is known of; NULL: there was none. */
    const char *explanation;
    bool stopped;
};

/* An error at the current opcode; names the file and the place. */
vgg_status vgg_pickle_fail(struct vgg_pickle_machine *machine, vgg_status code, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

#endif
