/* SPDX-License-Identifier: MIT */
/* The choice of a table of int8 kernels. */
#ifndef VGG_KERNELS_INT8_DISPATCH_H
#define VGG_KERNELS_INT8_DISPATCH_H

#include "kernels/int8.h"
#include "vgg/cpu.h"

/* The fastest table for an instruction set (AUTO: vgg_isa_detect's) on this machine, or NULL when this build
 * or this machine lacks it. An instruction set whose int8 instructions the machine lacks takes those of a
 * lower one. */
const struct vgg_int8_kernels *vgg_int8_kernels_find(enum vgg_isa isa);

/* Every table that this machine can run, for tests: the fastest is number 0, past the last one comes NULL. */
const struct vgg_int8_kernels *vgg_int8_kernels_get(int number);

#endif
