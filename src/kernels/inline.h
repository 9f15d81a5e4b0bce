/* SPDX-License-Identifier: MIT */
/* Inlining and unrolling, on which kernels depend to keep their tiles in registers. */
#ifndef VGG_KERNELS_INLINE_H
#define VGG_KERNELS_INLINE_H

#define VGG_INLINE static inline __attribute__((always_inline))

/* For what follows a long loop: inlined into each of the loop's variants it would be most of their code. */
#define VGG_OUT_OF_LINE static __attribute__((noinline))

#if defined(__clang__)
#define VGG_UNROLL _Pragma("clang loop unroll(full)")
#define VGG_UNROLL_8 _Pragma("clang loop unroll_count(8)")
#else
#define VGG_UNROLL _Pragma("GCC unroll 64")
#define VGG_UNROLL_8 _Pragma("GCC unroll 8")
#endif

#endif
