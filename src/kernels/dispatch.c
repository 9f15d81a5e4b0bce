/* SPDX-License-Identifier: MIT */
/* The choice of a kernel table. */
#include "kernels/dispatch.h"

#include <string.h>

#include "kernels/isas.h"

const struct vgg_kernels *vgg_kernels_find(enum vgg_isa isa, enum vgg_isa *chosen)
{
    if (isa == VGG_ISA_AUTO) {
        isa = vgg_isa_detect();
    }
    if (!vgg_isa_is_available(isa)) {
        return NULL;
    }
    if (chosen != NULL) {
        *chosen = isa;
    }
    switch (isa) {
    case VGG_ISA_SCALAR:
        return &vgg_kernels_scalar;
#if defined(__x86_64__)
    case VGG_ISA_AVX2:
        return &vgg_kernels_avx2;
    case VGG_ISA_AVX512:
        return &vgg_kernels_avx512;
    case VGG_ISA_AMX:
        return &vgg_kernels_amx;
#elif defined(__aarch64__)
    case VGG_ISA_NEON:
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
        .v_terms = (parts),                                                                        \
        .tile_group = (tiles),                                                                     \
    },
    VGG_ISA_LIST(X)
#undef X
};

const struct vgg_kernels *vgg_kernels_describe(enum vgg_isa isa)
{
    const char *name = vgg_isa_string(isa);
    for (size_t i = 0; i < sizeof descriptions / sizeof descriptions[0]; i++) {
        if (strcmp(descriptions[i].isa, name) == 0) {
            return &descriptions[i];
        }
    }
    return NULL;
}

const struct vgg_kernels *vgg_kernels_find_packer(int group)
{
    static const enum vgg_isa isas[] = {VGG_ISA_AVX512, VGG_ISA_AVX2, VGG_ISA_NEON};
    for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isas[i], NULL);
        if (kernels != NULL && group % kernels->lanes == 0) {
            return kernels;
        }
    }
    return &vgg_kernels_scalar;
}
