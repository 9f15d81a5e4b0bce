/* SPDX-License-Identifier: MIT */
/* The table of one ISA's int8 kernels. */
#include "kernels/int8.h"
#include "kernels/dot.h"

/* An ISA that differs only in how it multiplies takes all other kernels from its base. */
#ifdef VGG_BASE_ISA
#define VGG_PIXEL_KERNEL(op) VGG_INT8_KERNEL_NAME(op, VGG_BASE_ISA)
#define X(op, args_type) void VGG_PIXEL_KERNEL(op)(args_type * args);
VGG_INT8_PIXEL_KERNEL_LIST(X)
#undef X
#else
#define VGG_PIXEL_KERNEL(op) VGG_INT8_KERNEL(op)
#endif

#define TABLE_NAME_(isa) vgg_int8_kernels_##isa
#define TABLE_NAME(isa) TABLE_NAME_(isa)
#define STRING_(text) #text
#define STRING(text) STRING_(text)

/* The tests' model of an ISA has a name of its own. */
#ifdef VGG_MODEL_OF
#define ISA_STRING STRING(VGG_MODEL_OF) "-model"
#else
#define ISA_STRING STRING(VGG_ISA)
#endif

/* clang-format off */
const struct vgg_int8_kernels TABLE_NAME(VGG_ISA) = {
    .isa = ISA_STRING,
    .pixels = DOT_CALL_PIXELS,
#define X(op, args_type) .op = VGG_INT8_KERNEL(op),
    VGG_INT8_PRODUCT_KERNEL_LIST(X)
#undef X
#define X(op, args_type) .op = VGG_PIXEL_KERNEL(op),
    VGG_INT8_PIXEL_KERNEL_LIST(X)
#undef X
};
