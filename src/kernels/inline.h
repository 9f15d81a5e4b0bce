/* SPDX-License-Identifier: MIT */
/* Inlining and unrolling, on which kernels depend to keep their tiles in registers. */
#ifndef VGG_KERNELS_INLINE_H
#define VGG_KERNELS_INLINE_H

#define VGG_INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define VGG_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VGG_UNROLL _Pragma("GCC unroll 64")
#endif

#endif
