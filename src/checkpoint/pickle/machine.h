/* The state of a pickle that is being read, and the opcodes that work on it. Only for pickle.c, the
 * loop, ops.c, the opcodes, and stack.c. */
#ifndef VGG_CHECKPOINT_PICKLE_MACHINE_H
#define VGG_CHECKPOINT_PICKLE_MACHINE_H

#include "base/cursor.h"
#include "checkpoint/pickle/pickle.h"

/* Values on a stack, or by index; grows by doubling. */
struct vgg_value_stack {
    struct vgg_value **items;
    size_t count, capacity;
};

struct vgg_pickle_machine {
    const struct vgg_pickle_source *source;
    const struct vgg_limits *limits;
    struct vgg_arena *arena;
    struct vgg_error *err;
    struct vgg_cursor in;
    size_t opcode_offset;
    uint64_t steps;       /* opcodes, and items copied */
    uint64_t value_bytes; /* taken from the arena */
    size_t frame_end;     /* of the last FRAME; 0 before it */
    size_t fence;         /* the stack's items below belong to outer marks */
    struct vgg_value_stack stack;
    size_t *marks; /* fences to return to */
    size_t mark_count, mark_capacity;
    struct vgg_value_stack memo; /* by index; NULL where nothing was put */
    size_t memo_count;
    struct vgg_value_stack persistents;
    bool stopped;
};

/* What follows an opcode. */
enum vgg_pickle_operand_kind {
    OPERAND_NOTHING,
    OPERAND_U1,
    OPERAND_U2,
    OPERAND_U4,
    OPERAND_U8,
    OPERAND_S4,
    OPERAND_BYTES_8, /* eight bytes */
    OPERAND_BYTES1,  /* a length of 1 byte, bytes */
    OPERAND_BYTES4,  /* a length of 4 bytes, bytes */
    OPERAND_BYTES8,  /* a length of 8 bytes, bytes */
    OPERAND_LINES,   /* two lines */
};

struct vgg_pickle_operand {
    uint64_t number;
    struct vgg_span text, second; /* second: the second line */
};

struct vgg_pickle_opcode {
    const char *name; /* NULL: no such opcode */
    /* NULL: known, and refused */
    vgg_status (*run)(struct vgg_pickle_machine *machine, const struct vgg_pickle_operand *operand);
    enum vgg_pickle_operand_kind operand;
};

extern const struct vgg_pickle_opcode vgg_pickle_opcodes[256];

/* An error at the current opcode; names the file and the place. */
vgg_status vgg_pickle_fail(struct vgg_pickle_machine *machine, vgg_status code, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

/* ---- the stack: each bounded by the machine's limits ---- */

/* The error after every NULL or false: no memory, or the limit on values. */
vgg_status vgg_pickle_no_memory(struct vgg_pickle_machine *m);
/* Makes *items, of *capacity times `bytes`, large enough for count. */
bool vgg_pickle_reserve(struct vgg_pickle_machine *m, void **items, size_t *capacity, size_t count,
                        size_t bytes);
struct vgg_value *vgg_pickle_make(struct vgg_pickle_machine *m, enum vgg_value_kind kind);
vgg_status vgg_pickle_push(struct vgg_pickle_machine *m, struct vgg_value *value);
vgg_status vgg_pickle_push_new(struct vgg_pickle_machine *m, struct vgg_value value);
/* The top count items; they stay where they are. NULL when the stack has fewer above its mark. */
struct vgg_value **vgg_pickle_peek(struct vgg_pickle_machine *m, size_t count);
/* Takes the items above the last mark, and the mark: they stay readable until the next push. */
struct vgg_value **vgg_pickle_pop_mark(struct vgg_pickle_machine *m, size_t *count);
/* Appends items to a TUPLE, LIST, SET or DICT. */
vgg_status vgg_pickle_extend(struct vgg_pickle_machine *m, struct vgg_value *list,
                             struct vgg_value **items, size_t count);
/* Replaces count values on top by a new TUPLE of them (or by another kind of list). */
vgg_status vgg_pickle_collect(struct vgg_pickle_machine *m, enum vgg_value_kind kind,
                              struct vgg_value **items, size_t count);
vgg_status vgg_pickle_collect_top(struct vgg_pickle_machine *m, size_t count);
/* Adds the items above the mark (or the top `single` ones) to the list below them. */
vgg_status vgg_pickle_add_to(struct vgg_pickle_machine *m, enum vgg_value_kind kind, size_t single);

#endif
