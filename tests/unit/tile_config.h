/* SPDX-License-Identifier: MIT */
/* Configurations of the modelled tile unit, for its tests. */
#ifndef VGG_TESTS_TILE_CONFIG_H
#define VGG_TESTS_TILE_CONFIG_H

#include <stdint.h>

#include "tile_unit.h"

enum { ROWS = 16, ROW_BYTES = 64, WORDS = 16, TILES = 8, SUM = 0, LEFT = 1, RIGHT = 2 };

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Tiles for a product of rows × depth and depth × columns words; three are enough. */
static inline struct tile_config make_config(int rows, int depth, int columns)
{
    struct tile_config config = {.palette = 1};
    const int shapes[][2] = {{rows, columns}, {rows, depth}, {depth, columns}};
    for (int i = 0; i < 3; i++) {
        config.rows[i] = (uint8_t)shapes[i][0];
        config.row_bytes[i] = (uint16_t)(4 * shapes[i][1]);
    }
    return config;
}

static inline void configure(int rows, int depth, int columns)
{
    const struct tile_config config = make_config(rows, depth, columns);
    tile_unit_loadconfig(&config);
}

#endif
