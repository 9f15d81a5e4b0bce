/* SPDX-License-Identifier: MIT */
/* The choice of a table of int8 kernels. */
#include "kernels/int8_dispatch.h"

#include "base/cpu.h"

/* The tables, fastest first; each needs an ISA and perhaps an extension of it. */
static const struct choice {
    const struct vgg_int8_kernels *kernels;
    enum vgg_isa isa;
    enum vgg_isa_extension extension;
} choices[] = {
#if defined(__x86_64__)
    {&vgg_int8_kernels_amx, VGG_ISA_AMX, VGG_ISA_AMX_INT8},
    {&vgg_int8_kernels_avx512vnni, VGG_ISA_AVX512, VGG_ISA_AVX512_VNNI},
    {&vgg_int8_kernels_avxvnni, VGG_ISA_AVX2, VGG_ISA_AVX_VNNI},
    {&vgg_int8_kernels_avx2, VGG_ISA_AVX2, VGG_ISA_NO_EXTENSION},
#elif defined(__aarch64__)
    {&vgg_int8_kernels_neondot, VGG_ISA_NEON, VGG_ISA_NEON_DOTPROD},
    {&vgg_int8_kernels_neon, VGG_ISA_NEON, VGG_ISA_NO_EXTENSION},
#endif
    {&vgg_int8_kernels_scalar, VGG_ISA_SCALAR, VGG_ISA_NO_EXTENSION},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

static bool runs(const struct choice *choice)
{
    return vgg_isa_is_available(choice->isa) && vgg_isa_has(choice->extension);
}

const struct vgg_int8_kernels *vgg_int8_kernels_find(enum vgg_isa isa)
{
    if (isa == VGG_ISA_AUTO) {
        isa = vgg_isa_detect();
    }
    if (!vgg_isa_is_available(isa)) {
        return NULL;
    }
    for (int i = 0; i < CHOICES; i++) {
        if (choices[i].isa <= isa && runs(&choices[i])) {
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
