/* SPDX-License-Identifier: MIT */
/* Extensions of instruction sets, and the denormal mode. */
#ifndef VGG_BASE_CPU_H
#define VGG_BASE_CPU_H

#include <stdint.h>

#include "vgg/cpu.h"

/* The most threads that a session has, and the most CPUs that are counted. */
enum { VGG_MAX_THREADS = 1024 };

/* Extensions that a CPU with an instruction set may have. */
enum vgg_isa_extension {
    VGG_ISA_NO_EXTENSION, /* always there */
    VGG_ISA_AVX_VNNI,     /* of avx2 */
    VGG_ISA_AVX512_VNNI,  /* of avx512 */
    VGG_ISA_AMX_INT8,     /* of amx */
    VGG_ISA_NEON_DOTPROD, /* of neon: SDOT and UDOT */
};
/* Whether this CPU has it; only valid if its instruction set is available (vgg_isa_is_available). */
bool vgg_isa_has(enum vgg_isa_extension extension);

/* Sets flush-to-zero and denormals-are-zero for the calling thread, and restores the mode. Denormal operands are up to
 * a hundred times as slow as others, and too small to change a logit. */
uint64_t vgg_denormals_off(void);
void vgg_denormals_restore(uint64_t saved);
/* Whether the architecture has these modes: s390x has none, and the functions do nothing there. */
#if defined(__x86_64__) || defined(__aarch64__) ||                                                 \
    (defined(__arm__) && defined(__VFP_FP__) && !defined(__SOFTFP__))
#define VGG_HAS_DENORMAL_MODE 1
#else
#define VGG_HAS_DENORMAL_MODE 0
#endif

#endif
