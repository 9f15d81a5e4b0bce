/* SPDX-License-Identifier: MIT */
/* The machine: which instruction sets and how many CPUs there are to use. All functions are thread-safe. */
#ifndef VGG_CPU_H
#define VGG_CPU_H

#include <stdbool.h>

#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Instruction sets, of which a session uses one. */
enum vgg_isa {
    VGG_ISA_AUTO, /* the best this CPU and operating system have */
    VGG_ISA_SCALAR,
    VGG_ISA_AVX2,   /* with FMA and F16C */
    VGG_ISA_AVX512, /* F, BW, DQ, VL */
    VGG_ISA_AMX,    /* AVX-512 with AMX for float32 products in three bfloat16 parts */
    VGG_ISA_NEON,
};

/* The best instruction set here, never AUTO. With the environment variable VGG_ISA (scalar, avx2, avx512, amx,
 * neon) the machine counts as one that has nothing better; empty or auto sets no limit. */
VGG_API enum vgg_isa vgg_isa_detect(void);
/* Fails where VGG_ISA names no instruction set (ARGUMENT) or one that this machine does not have (UNSUPPORTED). Then
 * none is available, and sessions and quantizers are refused with this error; vgg_isa_detect ignores the variable. */
VGG_API vgg_status vgg_isa_check(struct vgg_error *err);
/* Whether this build and this machine, limited by VGG_ISA, can run it. AUTO: whether there is any. */
VGG_API bool vgg_isa_is_available(enum vgg_isa isa);
/* "auto", "scalar", "avx2", "avx512", "amx", "neon"; and back: false when the name is none of them. */
VGG_API const char *vgg_isa_string(enum vgg_isa isa);
VGG_API bool vgg_isa_parse(const char *name, enum vgg_isa *out);

/* CPUs this process may use: its affinity mask, and its cgroup's quota rounded up. At least 1, and at most 1024, the
 * most threads that a session has. */
VGG_API int vgg_cpu_count(void);

#ifdef __cplusplus
}
#endif
#endif
