/* The choice of a table of int8 kernels. */
#include "kernels/int8_dispatch.h"

#include "base/cpu.h"

/* The tables, the fastest first; each needs an instruction set and perhaps an extension of it. */
static const struct choice {
    const struct vgg_int8_kernels *kernels;
    enum vgg_cpu cpu;
    enum vgg_cpu_extension extension;
} choices[] = {
#if defined(__x86_64__)
    {&vgg_int8_kernels_amx, VGG_CPU_AMX, VGG_CPU_AMX_INT8},
    {&vgg_int8_kernels_avx512vnni, VGG_CPU_AVX512, VGG_CPU_AVX512_VNNI},
    {&vgg_int8_kernels_avxvnni, VGG_CPU_AVX2, VGG_CPU_AVX_VNNI},
    {&vgg_int8_kernels_avx2, VGG_CPU_AVX2, VGG_CPU_NO_EXTENSION},
#elif defined(__aarch64__)
    {&vgg_int8_kernels_neondot, VGG_CPU_NEON, VGG_CPU_NEON_DOTPROD},
    {&vgg_int8_kernels_neon, VGG_CPU_NEON, VGG_CPU_NO_EXTENSION},
#endif
    {&vgg_int8_kernels_scalar, VGG_CPU_SCALAR, VGG_CPU_NO_EXTENSION},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

static bool runs(const struct choice *choice)
{
    return vgg_cpu_is_available(choice->cpu) && vgg_cpu_has(choice->extension);
}

const struct vgg_int8_kernels *vgg_int8_kernels_find(enum vgg_cpu cpu)
{
    if (cpu == VGG_CPU_AUTO) {
        cpu = vgg_cpu_detect();
    }
    if (!vgg_cpu_is_available(cpu)) {
        return NULL;
    }
    for (int i = 0; i < CHOICES; i++) {
        if (choices[i].cpu <= cpu && runs(&choices[i])) {
            return choices[i].kernels;
        }
    }
    return NULL;
}

const struct vgg_int8_kernels *vgg_int8_kernels_get(int number)
{
    for (int i = 0; i < CHOICES; i++) {
        if (runs(&choices[i]) && number-- == 0) {
            return choices[i].kernels;
        }
    }
    return NULL;
}
