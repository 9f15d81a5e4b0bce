/* SPDX-License-Identifier: MIT */
/* A bit-exact model of the AMX tile unit in plain C: the instructions that the kernels use, as the pseudo-code of Intel's
 * "Software Developer's Manual", volume 2, defines them.
 *
 *   state    8 tiles of up to 16 rows × 64 bytes, their shapes, and whether they are configured; one unit per thread
 *   order    a row is 16 words in the machine's own byte order: element 0 of a pair is the low half of its word
 *   faults   what raises an exception on the CPU (no configuration, an unknown palette, a shape out of range, operands
 *            that do not fit) prints the reason and aborts
 *   NaN      its sign and payload are not modelled
 *
 * Each function has the arguments of an intrinsic, and a macro with the intrinsic's name calls it. */
#ifndef VGG_TESTS_TILE_UNIT_H
#define VGG_TESTS_TILE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/* 64 bytes: palette, first row, 14 of zeros, the bytes of a row of each of 16 tiles as words, their rows as bytes. */
void tile_unit_loadconfig(const void *config);
void tile_unit_release(void);
bool tile_unit_is_configured(void);

void tile_unit_zero(int tile);
void tile_unit_loadd(int tile, const void *base, ptrdiff_t stride);
void tile_unit_stored(int tile, void *base, ptrdiff_t stride);

/* Adds a × b to a tile of float32. For each row of a and column of b, one chain of fused multiply-adds over k sums the
 * products of the first elements of all pairs, another those of the second elements; both are added, and their sum is
 * added to the tile. All operations round to nearest, ties to even. Denormals count as zero and become zero, whatever
 * the thread's own mode is. */
void tile_unit_dpbf16ps(int to, int a, int b);
/* The same for unsigned bytes of a and signed bytes of b, four at a time, in int32, which wraps around. */
void tile_unit_dpbusd(int to, int a, int b);

#define _tile_loadconfig(config) tile_unit_loadconfig(config)
#define _tile_release() tile_unit_release()
#define _tile_zero(tile) tile_unit_zero(tile)
#define _tile_loadd(tile, base, stride) tile_unit_loadd(tile, base, stride)
#define _tile_stored(tile, base, stride) tile_unit_stored(tile, base, stride)
#define _tile_dpbf16ps(to, a, b) tile_unit_dpbf16ps(to, a, b)
#define _tile_dpbusd(to, a, b) tile_unit_dpbusd(to, a, b)

#endif
