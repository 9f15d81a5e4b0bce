/* SPDX-License-Identifier: MIT */
/* dot.h for CPUs with AMX: the vectors of AVX-512 VNNI; the tile unit multiplies bytes (int8_amx.c). */
/* Tests replace the intrinsics by a model in plain C, see tests/kernels/model. */
#ifdef VGG_MODEL_HEADER
#include VGG_MODEL_HEADER
#else
#if (!defined(__AMX_TILE__) && !defined(__AMXTILE__)) ||                                           \
    (!defined(__AMX_INT8__) && !defined(__AMXINT8__))
#error "dot_amx.h needs -mamx-tile -mamx-int8"
#endif
#include "kernels/dot_avx512vnni.h"
#endif

/* Pixels that the unit takes together. */
#define DOT_CALL_PIXELS 64
