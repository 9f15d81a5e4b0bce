/* SPDX-License-Identifier: MIT */
/* The choice of a table of int8 kernels. */
#ifndef VGG_KERNELS_INT8_DISPATCH_H
#define VGG_KERNELS_INT8_DISPATCH_H

#include "kernels/int8.h"
#include "vgg/cpu.h"

/* The fastest table for an ISA (AUTO: that of vgg_isa_detect) on this machine, or NULL when this build or this machine
 * lacks the ISA. Where the machine lacks only the ISA's int8 instructions, it is the table of a lower ISA. */
const struct vgg_int8_kernels *vgg_int8_kernels_find(enum vgg_isa isa);

/* Table `number` of those that this machine can run, fastest first, for tests; NULL beyond the last one. */
const struct vgg_int8_kernels *vgg_int8_kernels_get(int number);

#endif
