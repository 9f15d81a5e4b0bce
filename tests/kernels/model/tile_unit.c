/* SPDX-License-Identifier: MIT */
/* A model of the AMX tile unit in plain C, see tile_unit.h. */
#include "tile_unit.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TILES = 8,
    ROWS = 16,
    ROW_BYTES = 64,
    WORD = 4,
    WORDS = ROW_BYTES / WORD,
    /* Tiles that a configuration describes, of which the unit has 8. */
    CONFIG_TILES = 16,
    RESERVED = 14,
};

struct config {
    uint8_t palette, start_row, reserved[RESERVED];
    uint16_t row_bytes[CONFIG_TILES];
    uint8_t rows[CONFIG_TILES];
};

struct tile {
    int rows, row_bytes;
    uint8_t row[ROWS][ROW_BYTES];
};

static _Thread_local struct {
    bool configured;
    struct tile tiles[TILES];
} unit;

/* --- faults ----------------------------------------------------------------------------------- */

static _Noreturn void fault(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("tile unit: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

/* Returns a tile, if the instruction may use it. */
static struct tile *get_tile(const char *instruction, int tile)
{
    if (!unit.configured) {
        fault("%s: the tiles are not configured", instruction);
    }
    if (tile < 0 || tile >= TILES) {
        fault("%s: tile: expected 0 to %d, got %d", instruction, TILES - 1, tile);
    }
    if (unit.tiles[tile].rows == 0) {
        fault("%s: tile %d has no rows", instruction, tile);
    }
    return &unit.tiles[tile];
}

struct product {
    struct tile *to;
    const struct tile *a, *b;
};

static struct product get_product(const char *instruction, int to, int a, int b)
{
    const struct product product = {get_tile(instruction, to), get_tile(instruction, a),
                                    get_tile(instruction, b)};
    if (to == a || to == b || a == b) {
        fault("%s: expected three different tiles, got %d, %d and %d", instruction, to, a, b);
    }
    if (product.to->row_bytes % WORD != 0 || product.a->row_bytes % WORD != 0 ||
        product.b->row_bytes % WORD != 0) {
        fault("%s: expected rows of whole words, got %d, %d and %d bytes", instruction,
              product.to->row_bytes, product.a->row_bytes, product.b->row_bytes);
    }
    if (product.to->rows != product.a->rows || product.to->row_bytes != product.b->row_bytes ||
        product.a->row_bytes / WORD != product.b->rows) {
        fault("%s: %d x %d words times %d x %d do not make %d x %d", instruction, product.a->rows,
              product.a->row_bytes / WORD, product.b->rows, product.b->row_bytes / WORD,
              product.to->rows, product.to->row_bytes / WORD);
    }
    return product;
}

/* --- state ------------------------------------------------------------------------------------ */

static void check_config(const struct config *config)
{
    if (config->palette > 1) {
        fault("loadconfig: palette: expected 0 or 1, got %d", config->palette);
    }
    if (config->start_row != 0) {
        fault("loadconfig: first row: expected 0, the only one modelled, got %d",
              config->start_row);
    }
    for (int i = 0; i < RESERVED; i++) {
        if (config->reserved[i] != 0) {
            fault("loadconfig: reserved byte %d: expected 0, got %d", i, config->reserved[i]);
        }
    }
    for (int i = 0; i < CONFIG_TILES; i++) {
        const int rows = config->rows[i], bytes = config->row_bytes[i];
        if (rows > ROWS || bytes > ROW_BYTES || (rows == 0) != (bytes == 0)) {
            fault("loadconfig: tile %d: expected up to %d rows of up to %d bytes, got %d of %d", i,
                  ROWS, ROW_BYTES, rows, bytes);
        }
        if (i >= TILES && rows != 0) {
            fault("loadconfig: tile %d: expected no more than %d tiles", i, TILES);
        }
    }
}

void tile_unit_loadconfig(const void *config)
{
    struct config wanted;
    memcpy(&wanted, config, sizeof wanted);
    tile_unit_release();
    if (wanted.palette == 0) {
        /* Releases the tiles, and ignores the rest of the configuration. */
        return;
    }
    check_config(&wanted);
    unit.configured = true;
    for (int i = 0; i < TILES; i++) {
        unit.tiles[i].rows = wanted.rows[i];
        unit.tiles[i].row_bytes = wanted.row_bytes[i];
    }
}

void tile_unit_release(void)
{
    memset(&unit, 0, sizeof unit);
}

bool tile_unit_is_configured(void)
{
    return unit.configured;
}

void tile_unit_zero(int tile)
{
    struct tile *t = get_tile("zero", tile);
    memset(t->row, 0, sizeof t->row);
}

void tile_unit_loadd(int tile, const void *base, ptrdiff_t stride)
{
    struct tile *t = get_tile("loadd", tile);
    memset(t->row, 0, sizeof t->row);
    for (int i = 0; i < t->rows; i++) {
        memcpy(t->row[i], (const char *)base + i * stride, (size_t)t->row_bytes);
    }
}

void tile_unit_stored(int tile, void *base, ptrdiff_t stride)
{
    const struct tile *t = get_tile("stored", tile);
    for (int i = 0; i < t->rows; i++) {
        memcpy((char *)base + i * stride, t->row[i], (size_t)t->row_bytes);
    }
}

/* --- bfloat16 --------------------------------------------------------------------------------- */

/* A number for each column, and the minimum and maximum of the absolute values of those that are finite and not zero. */
struct numbers {
    float at[WORDS];
    float min, max;
};

/* Turns denormals into zeros. */
static float flush(float a)
{
    return fabsf(a) < FLT_MIN ? copysignf(0, a) : a;
}

/* Reads element 0 or 1 of each pair of a row of bfloat16; 2: the words of a row of float32. */
static void read_numbers(const uint8_t *row, int element, struct numbers *out)
{
    enum { WHOLE = 2 };
    out->min = out->max = 1;
    for (int i = 0; i < WORDS; i++) {
        uint32_t bits;
        memcpy(&bits, row + i * WORD, sizeof bits);
        bits = element == 0 ? bits << 16 : element == 1 ? bits & 0xffff0000 : bits;
        memcpy(&out->at[i], &bits, sizeof bits);
        out->at[i] = flush(out->at[i]);
        const float size = fabsf(out->at[i]);
        if (size > 0 && size <= FLT_MAX) {
            out->min = size < out->min ? size : out->min;
            out->max = size > out->max ? size : out->max;
        }
    }
}

/* Rounds to 24 bits with an unbounded exponent, then turns what is below float32's normal numbers into zero. */
static float round_flushed(double number)
{
    if (fabs(number) >= 0x1p-125) {
        return (float)number;
    }
    const float scaled = (float)(number * 0x1p60);
    return fabsf(scaled) < 0x1p-66f ? (float)copysign(0, number) : scaled * 0x1p-60f;
}

/* Adds a * b to the sums with fused multiply-adds: each result is rounded once, and becomes zero if it is denormal.
 *
 * The product of two bfloat16 numbers has at most 16 significant bits. If it is within the range of normal float32
 * numbers, it is exact, and only the sum is rounded. (A denormal sum is exact as well, so it can be flushed afterwards.)
 * Otherwise the sum is computed in double precision. It is then exact, or one term is too small to change how the other
 * one rounds to float32. */
static void multiply_add(float a, const struct numbers *b, int columns, float sums[WORDS])
{
    const float size = fabsf(a);
    if (a == 0 || !isfinite(a) || (size * b->min >= FLT_MIN && size * b->max <= FLT_MAX)) {
        for (int i = 0; i < columns; i++) {
            sums[i] = flush(sums[i] + a * b->at[i]);
        }
        return;
    }
    for (int i = 0; i < columns; i++) {
        sums[i] = round_flushed((double)a * (double)b->at[i] + (double)sums[i]);
    }
}

void tile_unit_dpbf16ps(int to, int a, int b)
{
    const struct product p = get_product("dpbf16ps", to, a, b);
    const int columns = p.to->row_bytes / WORD;
    struct numbers right[2][ROWS], left, total;
    for (int k = 0; k < p.b->rows; k++) {
        read_numbers(p.b->row[k], 0, &right[0][k]);
        read_numbers(p.b->row[k], 1, &right[1][k]);
    }
    for (int m = 0; m < p.to->rows; m++) {
        float sums[2][WORDS] = {{0}};
        for (int element = 0; element < 2; element++) {
            read_numbers(p.a->row[m], element, &left);
            for (int k = 0; k < p.b->rows; k++) {
                multiply_add(left.at[k], &right[element][k], columns, sums[element]);
            }
        }
        read_numbers(p.to->row[m], 2, &total);
        for (int n = 0; n < columns; n++) {
            total.at[n] = flush(total.at[n] + flush(sums[0][n] + sums[1][n]));
        }
        memcpy(p.to->row[m], total.at, (size_t)p.to->row_bytes);
    }
}

/* --- bytes ------------------------------------------------------------------------------------ */

void tile_unit_dpbusd(int to, int a, int b)
{
    const struct product p = get_product("dpbusd", to, a, b);
    for (int m = 0; m < p.to->rows; m++) {
        for (int n = 0; n < p.to->row_bytes / WORD; n++) {
            uint32_t sum;
            memcpy(&sum, &p.to->row[m][n * WORD], sizeof sum);
            for (int k = 0; k < p.b->rows; k++) {
                for (int i = 0; i < WORD; i++) {
                    sum +=
                        (uint32_t)(p.a->row[m][k * WORD + i] * (int8_t)p.b->row[k][n * WORD + i]);
                }
            }
            memcpy(&p.to->row[m][n * WORD], &sum, sizeof sum);
        }
    }
}
