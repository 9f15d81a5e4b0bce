/* The choice of a kernel table. */
#include "kernels/dispatch.h"

const struct vgg_kernels *vgg_kernels_find(enum vgg_cpu cpu, enum vgg_cpu *chosen)
{
    if (cpu == VGG_CPU_AUTO) {
        cpu = vgg_cpu_detect();
    }
    if (!vgg_cpu_is_available(cpu)) {
        return NULL;
    }
    if (chosen != NULL) {
        *chosen = cpu;
    }
    switch (cpu) {
    case VGG_CPU_SCALAR:
        return &vgg_kernels_scalar;
#if defined(__x86_64__)
    case VGG_CPU_AVX2:
        return &vgg_kernels_avx2;
    case VGG_CPU_AVX512:
        return &vgg_kernels_avx512;
    case VGG_CPU_AMX:
        return &vgg_kernels_amx;
#elif defined(__aarch64__)
    case VGG_CPU_NEON:
        return &vgg_kernels_neon;
#endif
    default:
        return NULL;
    }
}
