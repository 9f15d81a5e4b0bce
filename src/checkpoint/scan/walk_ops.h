/* SPDX-License-Identifier: MIT */
/* What an opcode does to the stack of a pickle that is followed. */
#ifndef VGG_CHECKPOINT_SCAN_WALK_OPS_H
#define VGG_CHECKPOINT_SCAN_WALK_OPS_H

#include "checkpoint/pickle/operand.h"
#include "checkpoint/scan/walk_types.h"

/* Runs any known opcode but STOP. */
void vgg_walk_op(struct vgg_pickle_walk *walk, uint8_t code,
                 const struct vgg_pickle_operand *operand);

#endif
