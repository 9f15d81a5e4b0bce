/* SPDX-License-Identifier: MIT */
/* The choice of a kernel table. */
#ifndef VGG_KERNELS_DISPATCH_H
#define VGG_KERNELS_DISPATCH_H

#include "kernels/kernels.h"
#include "vgg/cpu.h"

/* The table for an ISA (AUTO: that of vgg_isa_detect), or NULL when this build or this machine lacks it.
 *   chosen  NULL, or receives the ISA */
const struct vgg_kernels *vgg_kernels_find(enum vgg_isa isa, enum vgg_isa *chosen);

/* A table that has an ISA's constants but no kernels: enough to plan and to lay out weights for it on any machine. isa is
 * not AUTO. */
const struct vgg_kernels *vgg_kernels_describe(enum vgg_isa isa);

/* The table that transforms filters fastest on this machine, for groups of `group` output channels. All tables give the
 * same bits. */
const struct vgg_kernels *vgg_kernels_find_packer(int group);

#endif
