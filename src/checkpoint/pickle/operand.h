/* SPDX-License-Identifier: MIT */
/* The operands of pickle opcodes. The machine reads them from windows (pickle.c), the scanner from bytes of its own. */
#ifndef VGG_CHECKPOINT_PICKLE_OPERAND_H
#define VGG_CHECKPOINT_PICKLE_OPERAND_H

#include "base/cursor.h"
#include "checkpoint/pickle/value.h"

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

/* Reads the operand of an opcode from private bytes; in->ok is false when the bytes end inside it.
 *   open_end  whether the last line may end with the bytes. Python's unpickler in C takes such a line, less its last byte. */
struct vgg_pickle_operand vgg_pickle_read_operand(struct vgg_cursor *in,
                                                  enum vgg_pickle_operand_kind kind, bool open_end);

#endif
