/* SPDX-License-Identifier: MIT */
/* Runs the machine code of the AMX kernels on a CPU without AMX: each tile instruction is illegal there and raises SIGILL,
 * and the handler executes it with the model of the tile unit. This also tests what the compiler does with the
 * intrinsics, and with memory that only tile instructions access. */
#ifndef VGG_TESTS_TILE_TRAP_H
#define VGG_TESTS_TILE_TRAP_H

#include <stdbool.h>

/* Begins to execute tile instructions with the model. False where this is impossible: on CPUs that have AMX, or that lack
 * AVX-512, which these kernels need as well. */
bool tile_trap_install(void);
/* The number of instructions executed with the model. */
long tile_trap_count(void);

#endif
