/* SPDX-License-Identifier: MIT */
/* The numbers of every instruction set, also of those that this build has no kernels for: weights can be
 * packed for them all the same. The templates check that their vectors have these. */
#ifndef VGG_KERNELS_ISAS_H
#define VGG_KERNELS_ISAS_H

/* X(isa, lanes, conv_blocks, fused, v_blocks, v_lanes, v_terms, tile_group); see struct vgg_kernels */
#define VGG_ISA_LIST(X)                                                                            \
    X(scalar, 4, 2, 0, 1, 4, 1, 1)                                                                 \
    X(avx2, 8, 2, 1, 1, 8, 1, 1)                                                                   \
    X(avx512, 16, 2, 1, 1, 16, 1, 1)                                                               \
    X(amx, 16, 2, 1, 2, 24, 3, 32)                                                                 \
    X(neon, 4, 4, 1, 1, 4, 1, 1)

#endif
