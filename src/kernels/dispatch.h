/* SPDX-License-Identifier: MIT */
/* The choice of a kernel table. */
#ifndef VGG_KERNELS_DISPATCH_H
#define VGG_KERNELS_DISPATCH_H

#include "kernels/kernels.h"
#include "vgg/cpu.h"

/* The table for an instruction set (AUTO: vgg_isa_detect's), or NULL when this build or this machine
 * lacks it. *chosen, if not NULL, receives which it is. */
const struct vgg_kernels *vgg_kernels_find(enum vgg_isa isa, enum vgg_isa *chosen);

/* A table that has an instruction set's numbers but no kernels: enough to plan and to lay out weights for
 * it on any machine. isa is not AUTO. */
const struct vgg_kernels *vgg_kernels_describe(enum vgg_isa isa);

/* The table of this machine that prepares filters for groups of so many output channels fastest. The bits are
 * the same with all. */
const struct vgg_kernels *vgg_kernels_find_packer(int group);

#endif
