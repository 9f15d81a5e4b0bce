/* The table of one ISA's kernels. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

#define TABLE_NAME_(isa) vgg_kernels_##isa
#define TABLE_NAME(isa) TABLE_NAME_(isa)
#define STRING_(text) #text
#define STRING(text) STRING_(text)

/* clang-format off */
const struct vgg_kernels TABLE_NAME(VGG_ISA) = {
    .isa = STRING(VGG_ISA),
    .lanes = VF_LANES,
    .conv_blocks = CONV_BLOCKS,
    .fused = VF_FUSED,
    .linear_rows = LINEAR_SLICE,
#define X(op, args_type) .op = VGG_KERNEL(op),
    VGG_KERNEL_LIST(X)
#undef X
};
