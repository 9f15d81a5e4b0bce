/* SPDX-License-Identifier: MIT */
/* The constants of every ISA. They include ISAs that this build has no kernels for, because weights can be prepacked for
 * any ISA on any machine. table_tmpl.c checks that the vectors have the same constants. */
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
