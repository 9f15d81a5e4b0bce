/* SPDX-License-Identifier: MIT */
/* Column-major weights: the file format, its writer and the kernels must agree. */
#ifndef VGG_BASE_COLUMN_TILE_H
#define VGG_BASE_COLUMN_TILE_H

/* Rows (outputs) whose weights for one input lie side by side. */
enum { VGG_COLUMN_TILE_ROWS = 64 };

#endif
