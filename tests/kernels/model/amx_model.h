/* SPDX-License-Identifier: MIT */
/* The library's own sources of the AMX kernels, and of the AVX-512 kernels below them, compiled with a model of the tile
 * unit and of the vectors in plain C: on any machine they compute the same bits as on a CPU with AMX. */
#ifndef VGG_TESTS_AMX_MODEL_H
#define VGG_TESTS_AMX_MODEL_H

#include "kernels/int8.h"
#include "kernels/kernels.h"

/* Their isa is "amx-model"; the int8 kernels that do not multiply are the scalar ones. */
extern const struct vgg_kernels vgg_kernels_amx_model;
extern const struct vgg_int8_kernels vgg_int8_kernels_amx_model;

#endif
