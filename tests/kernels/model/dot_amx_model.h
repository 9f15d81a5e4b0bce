/* SPDX-License-Identifier: MIT */
/* What dot_amx.h needs of the CPU, in plain C: the tile unit, the vocabulary of dot_scalar.h, and the one other vector
 * instruction of int8_amx.c, which aborts if the address is not aligned, as it would on the CPU. */
#include <stdlib.h>

#include "kernels/dot_scalar.h"
#include "tile_unit.h"

VGG_INLINE vs _mm512_load_si512(const void *p)
{
    vs sums;
    if ((uintptr_t)p % sizeof sums != 0) {
        abort();
    }
    __builtin_memcpy(&sums, p, sizeof sums);
    return sums;
}
