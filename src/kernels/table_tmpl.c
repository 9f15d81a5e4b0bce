/* SPDX-License-Identifier: MIT */
/* The table of one ISA's kernels. */
#include "kernels/isas.h"
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* An ISA that differs only in how it multiplies tiles takes all other kernels from its base. */
#ifdef VGG_BASE_ISA
#define VGG_OTHER_KERNEL(op) VGG_KERNEL_NAME(op, VGG_BASE_ISA)
#define X(op, args_type) void VGG_OTHER_KERNEL(op)(args_type * args);
VGG_OTHER_KERNEL_LIST(X)
#undef X
#else
#define VGG_OTHER_KERNEL(op) VGG_KERNEL(op)
#endif

#define TABLE_NAME_(isa) vgg_kernels_##isa
#define TABLE_NAME(isa) TABLE_NAME_(isa)
#define STRING_(text) #text
#define STRING(text) STRING_(text)

/* The tests' model of an ISA has the ISA's constants, but a name of its own. */
#ifdef VGG_MODEL_OF
#define LISTED_ISA VGG_MODEL_OF
#define ISA_STRING STRING(VGG_MODEL_OF) "-model"
#else
#define LISTED_ISA VGG_ISA
#define ISA_STRING STRING(VGG_ISA)
#endif

/* The constants in isas.h. */
#define X(isa, lanes, blocks, fused, v_blocks, v_lanes, v_terms, tiles)                            \
    enum {                                                                                         \
        LANES_##isa = lanes,                                                                       \
        BLOCKS_##isa = blocks,                                                                     \
        FUSED_##isa = fused,                                                                       \
        V_BLOCKS_##isa = v_blocks,                                                                 \
        V_LANES_##isa = v_lanes,                                                                   \
        V_TERMS_##isa = v_terms,                                                                   \
        TILES_##isa = tiles,                                                                       \
    };
VGG_ISA_LIST(X)
#undef X
#define LISTED_(number, isa) number##_##isa
#define LISTED(number, isa) LISTED_(number, isa)
#define AGREES(number, own) ((int)LISTED(number, LISTED_ISA) == (int)(own))
_Static_assert(AGREES(LANES, VF_LANES) && AGREES(BLOCKS, CONV_BLOCKS) && AGREES(FUSED, VF_FUSED) &&
                   AGREES(V_BLOCKS, VT_BLOCKS) && AGREES(V_LANES, VT_LANES) &&
                   AGREES(V_TERMS, VT_TERMS) && AGREES(TILES, VT_TILES),
               "isas.h has other constants");

/* clang-format off */
const struct vgg_kernels TABLE_NAME(VGG_ISA) = {
    .isa = ISA_STRING,
    .lanes = VF_LANES,
    .conv_blocks = CONV_BLOCKS,
    .fused = VF_FUSED,
    .linear_rows = LINEAR_SLICE,
    .v_blocks = VT_BLOCKS,
    .v_lanes = VT_LANES,
    .v_terms = VT_TERMS,
    .tile_group = VT_TILES,
#define X(op, args_type) .op = VGG_KERNEL(op),
    VGG_TILE_KERNEL_LIST(X)
#undef X
#define X(op, args_type) .op = VGG_OTHER_KERNEL(op),
    VGG_OTHER_KERNEL_LIST(X)
#undef X
};
