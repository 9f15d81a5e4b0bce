/* SPDX-License-Identifier: MIT */
/* The kernels for AMX, and the AVX-512 ones they build upon, from the library's own sources but on a modelled tile
 * unit and modelled vectors: to the bit what the CPU computes, on any machine. */
#ifndef VGG_TESTS_AMX_MODEL_H
#define VGG_TESTS_AMX_MODEL_H

#include "kernels/int8.h"
#include "kernels/kernels.h"

extern const struct vgg_kernels vgg_kernels_amx_model; /* isa: "amx-model" */
extern const struct vgg_int8_kernels
    vgg_int8_kernels_amx_model; /* its other kernels are scalar ones */

#endif
