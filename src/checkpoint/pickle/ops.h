/* SPDX-License-Identifier: MIT */
/* The opcodes of a pickle, and what each does to the machine. */
#ifndef VGG_CHECKPOINT_PICKLE_OPS_H
#define VGG_CHECKPOINT_PICKLE_OPS_H

#include "checkpoint/pickle/machine.h"
#include "checkpoint/pickle/operand.h"

struct vgg_pickle_opcode {
    const char *name; /* NULL: no such opcode */
    /* NULL: known, and refused */
    vgg_status (*run)(struct vgg_pickle_machine *machine, const struct vgg_pickle_operand *operand);
    enum vgg_pickle_operand_kind operand;
};

extern const struct vgg_pickle_opcode vgg_pickle_opcodes[256];

#endif
