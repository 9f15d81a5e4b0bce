/* The choice of a kernel table. */
#include "kernels/dispatch.h"

#include <string.h>

#include "kernels/isas.h"

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

static const struct vgg_kernels descriptions[] = {
#define X(name, l, blocks, is_fused, together, floats, parts, tiles)                               \
    {                                                                                              \
        .isa = #name,                                                                              \
        .lanes = (l),                                                                              \
        .conv_blocks = (blocks),                                                                   \
        .fused = (is_fused),                                                                       \
        .linear_rows = 1,                                                                          \
        .v_blocks = (together),                                                                    \
        .v_lanes = (floats),                                                                       \
        .v_parts = (parts),                                                                        \
        .tile_group = (tiles),                                                                     \
    },
    VGG_ISA_LIST(X)
#undef X
};

const struct vgg_kernels *vgg_kernels_describe(enum vgg_cpu cpu)
{
    const char *name = vgg_cpu_string(cpu);
    for (size_t i = 0; i < sizeof descriptions / sizeof descriptions[0]; i++) {
        if (strcmp(descriptions[i].isa, name) == 0) {
            return &descriptions[i];
        }
    }
    return NULL;
}

const struct vgg_kernels *vgg_kernels_find_packer(int group)
{
    static const enum vgg_cpu cpus[] = {VGG_CPU_AVX512, VGG_CPU_AVX2, VGG_CPU_NEON};
    for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(cpus[i], NULL);
        if (kernels != NULL && group % kernels->lanes == 0) {
            return kernels;
        }
    }
    return vgg_kernels_find(VGG_CPU_SCALAR, NULL);
}
