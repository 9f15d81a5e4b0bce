/* SPDX-License-Identifier: MIT */
/* The opcodes of a pickle, and what each does to the machine. */
#ifndef VGG_CHECKPOINT_PICKLE_OPS_H
#define VGG_CHECKPOINT_PICKLE_OPS_H

#include "checkpoint/pickle/machine.h"

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
    OPERAND_LINE,    /* one line */
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

#endif
