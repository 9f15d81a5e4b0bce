/* SPDX-License-Identifier: MIT */
/* Products of bytes on the AMX tile unit.
 *
 * A register of weights is 16 words of four input channels × 16 output channels: 1 KiB, in the order in which the file
 * has them. A register of activations is up to 16 pixels × 64 channels, loaded from where they are. A step multiplies up
 * to four registers of activations by one of weights, so that weights, which come from the second-level cache, are
 * needed at a quarter of the unit's rate.
 *
 * The vector units turn sums into bytes while the tile unit computes the next ones.
 *
 * Registers: 0-3 sums, 4-5 activations, 6-7 weights. */
#include "kernels/int8.h"
#include "kernels/dot.h"

enum {
    /* Rows of a register, and sums of a row. */
    LANES = 16,
    /* Registers of sums. */
    TILES = 4,
    /* Bytes of a row, and of a register of weights. */
    ROW = 64,
    STEP = 1024,
};

/* Keeps loads and stores in order: the compiler does not know that tile instructions access memory. */
#define ORDER_MEMORY() __asm__ volatile("" ::: "memory")

/* The unit's shape register. */
struct shape {
    uint8_t palette, reserved[15];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Configures the unit for sums and activations of `rows` rows. */
static void configure(int rows)
{
    struct shape shape = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shape.row_bytes[i] = ROW;
        shape.rows[i] = (uint8_t)(i < 6 ? rows : LANES);
    }
    /* The intrinsic of gcc declares that it reads the first 8 bytes alone: without this the others need not be written. */
    __asm__ volatile("" : "+m"(shape));
    _tile_loadconfig(&shape);
}

/* --- convolution ------------------------------------------------------------------------------ */

/* Sums of one group that are to become bytes. */
struct pending {
    /* The next pixel's, in [tiles][LANES][LANES]. */
    const int32_t *sums;
    /* Of each tile; y[tile] is the next pixel's. */
    uint8_t *y[TILES];
    const int32_t *bias;
    const float *scale;
    /* Pixels of a tile, and those left of all tiles. */
    int rows, left;
    /* The next pixel. */
    int tile, row;
};

/* Finishes up to `count` pixels. */
VGG_INLINE void finish(struct pending *p, int count)
{
    if (p->left == 0) {
        return;
    }
    const vf scale = vf_load(p->scale);
    const int32_t *sums = p->sums;
    uint8_t *y = p->y[p->tile];
    int row = p->row;
    count = count < p->left ? count : p->left;
    p->left -= count;
    for (; count > 0; count--) {
        const vi total = vs_total(_mm512_load_si512(sums), p->bias, NULL);
        vf_store_bytes(y, vf_mul(vf_from(total), scale));
        sums += LANES;
        y += VGG_INT8_BLOCK;
        if (++row == p->rows) {
            row = 0;
            sums += (LANES - p->rows) * LANES;
            y = p->y[++p->tile % TILES];
        }
    }
    p->row = row;
    p->sums = sums;
    p->y[p->tile % TILES] = y;
}

/* Prefetches the weights after the call's, which the next call usually needs, into the second-level cache, a few lines in
 * each step. With more than MAX_PASSES passes over the call's own weights the time to fetch the next ones is
 * negligible. */
enum { MAX_PASSES = 16 };
struct fetch {
    const int8_t *at;
    /* Lines left, and lines of each step. */
    ptrdiff_t left;
    int lines;
};

VGG_INLINE void fetch_ahead(struct fetch *f)
{
    if (f->left > 0) {
        for (int i = 0; i < f->lines; i++) {
            __builtin_prefetch(f->at + i * ROW, 0, 2);
        }
        f->at += f->lines * ROW;
        f->left -= f->lines;
    }
}

/* One step's product for tile i, with activations in register a. */
#define MULTIPLY(i, a)                                                                             \
    do {                                                                                           \
        if (tiles > (i)) {                                                                         \
            _tile_loadd(a, x[i] + at, x_pixel_stride);                                             \
            _tile_dpbusd(i, a, 6);                                                                 \
        }                                                                                          \
    } while (0)
#define STORE(i)                                                                                   \
    do {                                                                                           \
        if (tiles > (i)) {                                                                         \
            _tile_stored(i, sums + (i)*LANES * LANES, ROW);                                        \
        }                                                                                          \
    } while (0)

/* The sums of one group for some tiles, a constant where it is inlined. */
VGG_INLINE void multiply(const struct vgg_int8_conv_args *a, const int8_t *weight,
                         const uint8_t *const x[TILES], int32_t *sums, struct pending *before,
                         int share, struct fetch *fetch, int tiles)
{
    const ptrdiff_t x_pixel_stride = (ptrdiff_t)a->stride * VGG_INT8_BLOCK;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int ic = 0; ic < a->ic_blocks; ic++) {
        for (int kh = 0; kh < a->kernel; kh++) {
            ptrdiff_t at = ic * a->x_block_stride + kh * a->x_row_stride;
            for (int kw = 0; kw < a->kernel; kw++) {
                _tile_loadd(6, weight, ROW);
                MULTIPLY(0, 4);
                MULTIPLY(1, 5);
                MULTIPLY(2, 4);
                MULTIPLY(3, 5);
                at += VGG_INT8_BLOCK;
                weight += STEP;
                finish(before, share);
                fetch_ahead(fetch);
            }
        }
    }
    STORE(0);
    STORE(1);
    STORE(2);
    STORE(3);
    ORDER_MEMORY();
}

/* Cuts each output row into tiles of equal width, the last of which may overlap the one before it. */
static void convolve(const struct vgg_int8_conv_args *a)
{
    _Alignas(ROW) int32_t sums[2][TILES * LANES * LANES];
    const int across = (a->ow + LANES - 1) / LANES, width = (a->ow + across - 1) / across;
    const int all = across * (a->oh_end - a->oh_begin);
    const int steps = a->ic_blocks * a->kernel * a->kernel;
    const int share = (TILES * width + steps - 1) / steps;
    struct pending pending = {.left = 0, .scale = a->scaling.scale};
    /* Over the weights. */
    const int passes = (all + TILES - 1) / TILES;
    struct fetch fetch = {.left = 0};
    if (passes > 0 && passes <= MAX_PASSES) {
        fetch = (struct fetch){.at = a->weight + a->groups * a->weight_group_stride,
                               .left = (ptrdiff_t)a->groups * steps * (STEP / ROW),
                               .lines = (STEP / ROW + passes - 1) / passes};
    }
    int half = 0;
    configure(width);
    for (int first = 0; first < all; first += TILES) {
        const int tiles = all - first < TILES ? all - first : TILES;
        const uint8_t *x[TILES] = {NULL};
        uint8_t *y[TILES] = {NULL};
        for (int i = 0; i < tiles; i++) {
            const ptrdiff_t oh = a->oh_begin + (first + i) / across;
            const int begin = (first + i) % across * width;
            const ptrdiff_t ow = begin + width <= a->ow ? begin : a->ow - width;
            x[i] = a->x + oh * a->stride * a->x_row_stride + ow * a->stride * VGG_INT8_BLOCK;
            y[i] = a->y + oh * a->y_row_stride + ow * VGG_INT8_BLOCK;
        }
        for (int g = 0; g < a->groups; g++) {
            const int8_t *weight = a->weight + g * a->weight_group_stride;
            switch (tiles) {
            case 1:
                multiply(a, weight, x, sums[half], &pending, share, &fetch, 1);
                break;
            case 2:
                multiply(a, weight, x, sums[half], &pending, share, &fetch, 2);
                break;
            case 3:
                multiply(a, weight, x, sums[half], &pending, share, &fetch, 3);
                break;
            default:
                multiply(a, weight, x, sums[half], &pending, share, &fetch, 4);
            }
            pending = (struct pending){.sums = sums[half],
                                       .bias = a->scaling.bias + g * LANES,
                                       .scale = a->scaling.scale + g * LANES,
                                       .rows = width,
                                       .left = tiles * width};
            for (int i = 0; i < tiles; i++) {
                pending.y[i] = y[i] + (ptrdiff_t)g * LANES;
            }
            half = 1 - half;
        }
    }
    finish(&pending, pending.left);
    _tile_release();
}

void VGG_INT8_KERNEL_NAME(conv, VGG_BASE_ISA)(const struct vgg_int8_conv_args *args);

void VGG_INT8_KERNEL(conv)(const struct vgg_int8_conv_args *args)
{
    if (args->ic_block != VGG_INT8_BLOCK) {
        VGG_INT8_KERNEL_NAME(conv, VGG_BASE_ISA)(args);
        return;
    }
    convolve(args);
    vgg_int8_clear_rest(args);
}

/* --- fully connected -------------------------------------------------------------------------- */

void VGG_INT8_KERNEL_NAME(linear, VGG_BASE_ISA)(const struct vgg_int8_linear_args *args);

void VGG_INT8_KERNEL(linear)(const struct vgg_int8_linear_args *args)
{
    VGG_INT8_KERNEL_NAME(linear, VGG_BASE_ISA)(args);
}

/* --- peak ------------------------------------------------------------------------------------- */

void VGG_INT8_KERNEL(peak)(struct vgg_int8_peak_args *args)
{
    _Alignas(ROW) int8_t weight[STEP] = {1, -2, 3, -4, 5, -6, 7, -8};
    _Alignas(ROW) int32_t sums[LANES * LANES];
    configure(LANES);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, weight, ROW);
    _tile_loadd(6, weight, ROW);
    for (int64_t n = 0; n < args->iterations; n++) {
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 4, 6);
        _tile_dpbusd(2, 4, 6);
        _tile_dpbusd(3, 4, 6);
    }
    _tile_stored(0, sums, ROW);
    _tile_release();
    ORDER_MEMORY();
    args->operations = (double)args->iterations * TILES * LANES * LANES * 64 * 2;
    args->result = sums[0];
}
