/* The machine: which instruction sets and how many CPUs there are to use. All functions are thread-safe. */
#ifndef VGG_CPU_H
#define VGG_CPU_H

#include <stdbool.h>

#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Instruction sets, of which a session uses one. */
enum vgg_cpu {
    VGG_CPU_AUTO, /* the best this CPU and operating system have */
    VGG_CPU_SCALAR,
    VGG_CPU_AVX2,   /* with FMA and F16C */
    VGG_CPU_AVX512, /* F, BW, DQ, VL */
    VGG_CPU_AMX,    /* AVX-512 with AMX for float32 products in three bfloat16 parts */
    VGG_CPU_NEON,
};

/* The best instruction set here, never AUTO; the environment variable VGG_CPU (scalar, avx2, avx512,
 * amx, neon) lowers it. */
VGG_API enum vgg_cpu vgg_cpu_detect(void);
/* Whether this build and this machine can run it. AUTO: yes. */
VGG_API bool vgg_cpu_is_available(enum vgg_cpu cpu);
/* "auto", "scalar", "avx2", "avx512", "amx", "neon"; and back: false when the name is none of them. */
VGG_API const char *vgg_cpu_string(enum vgg_cpu cpu);
VGG_API bool vgg_cpu_parse(const char *name, enum vgg_cpu *out);

/* CPUs this process may use: its affinity mask, and its cgroup's quota rounded up. At least 1. */
VGG_API int vgg_cpu_count(void);

#ifdef __cplusplus
}
#endif
#endif
