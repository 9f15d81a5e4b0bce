/* SPDX-License-Identifier: MIT */
/* Runs the machine code of kernels for AMX on a CPU without it: each tile instruction is illegal there and raises
 * SIGILL, whose handler has the modelled tile unit execute it. So compilers' part in the kernels is tested, too: what
 * they make of the intrinsics, and of memory that only tile instructions read or write. */
#ifndef VGG_TESTS_TILE_TRAP_H
#define VGG_TESTS_TILE_TRAP_H

#include <stdbool.h>

/* From here on, tile instructions are modelled. False where that cannot be: on CPUs that execute them, or have no
 * AVX-512, which these kernels need as well. */
bool tile_trap_install(void);
/* How many instructions have been. */
long tile_trap_count(void);

#endif
