/* SPDX-License-Identifier: MIT */
/* The products of Winograd convolution on the AMX tile unit, with numbers split into three bfloat16 terms (vec_amx.h).
 *
 * Of the nine products of terms the three smallest are omitted:
 *     x w = x0 w0 + (x0 w1 + x1 w0) + (x0 w2 + x1 w1 + x2 w0) + less than 2^-21 |x w|
 * The rest has the sign of x w and is 2^-24 |x w| on average, about the rounding error of one float32 multiplication.
 * One instruction sums the products of 32 channels, and fewer roundings make a sum more exact than a chain of
 * multiply-adds. Denormals count as zero.
 *
 * A step is a pair of blocks, that is 32 channels, of 32 tiles and 32 output channels: 6 products of terms, each of
 * 2 × 2 registers. They take the unit 384 cycles and leave the vector units free. These meanwhile split the weights of
 * the step AHEAD of it, from float32 as all ISAs prepack them, into a ring that stays in the first-level cache. (Weights
 * split in advance are one and a half times the size, and were slower from every cache. With a ring of two steps the
 * unit had to wait for the last stores.)
 *
 * Registers: 0-3 accumulators of 2 × 16 tiles by 2 × 16 output channels, 4-5 a term of V, 6-7 a term of the weights. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

enum {
    /* Rows and columns of a register. */
    HALF = 16,
    /* Of a step. */
    CHANNELS = 32,
    /* Steps by which the ring is ahead of the unit. */
    AHEAD = 3,
    SLOTS = AHEAD + 1,
    /* The splitting of a step's weights is done in slices between the step's products. */
    SLICES = 8,
    SLICE_ROWS = CHANNELS / SLICES,
    LINE_BYTES = 64,
    /* Weights of a step. */
    STEP_ELEMENTS = CHANNELS * CONV_BLOCKS * VF_LANES,
};

/* Keeps loads and stores in order: the compiler does not know that tile instructions access memory. */
#define ORDER_MEMORY() __asm__ volatile("" ::: "memory")

/* The unit's shape register. */
struct shape {
    uint8_t palette, reserved[15];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

static void configure(void)
{
    struct shape shape = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shape.row_bytes[i] = VT_ROW;
        shape.rows[i] = HALF;
    }
    /* The intrinsic of gcc declares that it reads the first 8 bytes alone: without this the others need not be written. */
    __asm__ volatile("" : "+m"(shape));
    _tile_loadconfig(&shape);
}

/* A position in the sequence of steps: panel after panel, each once for every 32 tiles. */
struct stream {
    /* The step's weights, and the first of its panel. */
    const float *weight, *panel;
    /* Floats from panel to panel. */
    ptrdiff_t stride;
    /* The step in the panel, and the pass over the panel. */
    int step, steps;
    int pass, passes;
    /* Panels that are left, with the step's own. */
    int panels;
};

VGG_INLINE void advance(struct stream *s)
{
    s->weight += STEP_ELEMENTS;
    if (++s->step < s->steps) {
        return;
    }
    s->step = 0;
    if (++s->pass == s->passes) {
        s->pass = 0;
        /* After the last panel its weights are split once more, and not used. */
        if (s->panels > 1) {
            s->panels--;
            s->panel += s->stride;
        }
    }
    s->weight = s->panel;
}

/* What is prefetched meanwhile: the next panel in four parts side by side (see gemm_tmpl.c), and the next frequency's
 * tiles. */
enum { PARTS = SLICE_ROWS };
struct fetch {
    const char *weight, *v;
    ptrdiff_t part, weight_step, v_step;
    /* Lines of each part for one slice: 1 or 2; 0 where weights are in a cache. */
    int lines;
};

/* Splits SLICE_ROWS of a step's 32 rows; a row is block b of the output channels of channel c. */
VGG_INLINE void split_slice(const float *weight, char *slot, int slice, struct fetch *fetch)
{
    VGG_UNROLL
    for (int i = 0; i < SLICE_ROWS; i++) {
        const int row = slice * SLICE_ROWS + i, c = row / CONV_BLOCKS, b = row % CONV_BLOCKS;
        const float *w = weight + (c * CONV_BLOCKS + b) * VF_LANES;
        vt_split(slot + (b * HALF + c) * VT_ROW, vf_load(w),
                 vf_load(w + HALF * CONV_BLOCKS * VF_LANES));
        if (fetch->lines > 0) {
            vf_prefetch(fetch->weight + i * fetch->part);
        }
        if (fetch->lines > 1) {
            vf_prefetch(fetch->weight + i * fetch->part + LINE_BYTES);
        }
    }
    if (fetch->lines > 0) {
        vf_prefetch(fetch->v);
        fetch->weight += fetch->weight_step;
        fetch->v += fetch->v_step;
    }
}

/* Loads a term's registers; the second half of V only where there are tiles in it. */
#define LOAD_V(p)                                                                                  \
    do {                                                                                           \
        _tile_loadd(4, v + (p)*VT_TERM, VT_ROW);                                                   \
        if (halves > 1) {                                                                          \
            _tile_loadd(5, v + (p)*VT_TERM + HALF * VT_ROW, VT_ROW);                               \
        }                                                                                          \
    } while (0)
#define LOAD_W(p)                                                                                  \
    do {                                                                                           \
        _tile_loadd(6, w + (p)*VT_TERM, VT_ROW);                                                   \
        _tile_loadd(7, w + (p)*VT_TERM + HALF * VT_ROW, VT_ROW);                                   \
    } while (0)
#define MULTIPLY()                                                                                 \
    do {                                                                                           \
        _tile_dpbf16ps(0, 4, 6);                                                                   \
        _tile_dpbf16ps(1, 4, 7);                                                                   \
        if (halves > 1) {                                                                          \
            _tile_dpbf16ps(2, 5, 6);                                                               \
            _tile_dpbf16ps(3, 5, 7);                                                               \
        }                                                                                          \
    } while (0)

/* One panel × up to 32 tiles; halves (1 or 2) is a constant where it is inlined. Small products come first, in an order
 * that loads only one term twice. Each load comes before the slice that would delay it. Returns the next slot. */
VGG_INLINE int multiply(const char *v, char *ring, int slot, struct stream *ahead,
                        struct fetch *fetch, int steps, float *y, ptrdiff_t y_block_stride,
                        int halves)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const char *w = ring + slot * VT_PAIR;
    LOAD_V(0);
    LOAD_W(2);
    for (int step = 0; step < steps; step++) {
        const float *weight = ahead->weight;
        char *to = ring + (slot + AHEAD) % SLOTS * VT_PAIR;
        advance(ahead);
        MULTIPLY();
        LOAD_W(1);
        split_slice(weight, to, 0, fetch);
        MULTIPLY();
        LOAD_V(1);
        split_slice(weight, to, 1, fetch);
        split_slice(weight, to, 2, fetch);
        MULTIPLY();
        LOAD_W(0);
        split_slice(weight, to, 3, fetch);
        MULTIPLY();
        LOAD_V(2);
        split_slice(weight, to, 4, fetch);
        split_slice(weight, to, 5, fetch);
        MULTIPLY();
        LOAD_V(0);
        split_slice(weight, to, 6, fetch);
        MULTIPLY();
        v += VT_PAIR;
        slot = (slot + 1) % SLOTS;
        w = ring + slot * VT_PAIR;
        if (step + 1 < steps) {
            LOAD_V(0);
            LOAD_W(2);
        }
        split_slice(weight, to, 7, fetch);
        ORDER_MEMORY();
    }
    _tile_stored(0, y, VT_ROW);
    _tile_stored(1, y + y_block_stride, VT_ROW);
    if (halves > 1) {
        _tile_stored(2, y + HALF * VF_LANES, VT_ROW);
        _tile_stored(3, y + y_block_stride + HALF * VF_LANES, VT_ROW);
    }
    ORDER_MEMORY();
    return slot;
}

void VGG_KERNEL(gemm)(const struct vgg_gemm_args *args)
{
    _Alignas(LINE_BYTES) char ring[SLOTS * VT_PAIR];
    const int steps = (args->ic_blocks + 1) / 2, passes = (args->tiles + VT_TILES - 1) / VT_TILES;
    const size_t elements = (size_t)steps * STEP_ELEMENTS;
    struct stream ahead = {.weight = args->weight,
                           .panel = args->weight,
                           .stride = args->weight_stride,
                           .steps = steps,
                           .passes = passes,
                           .panels = args->panels};
    struct fetch fetch = {.lines = 0};
    for (int i = 0; i < AHEAD; i++) {
        for (int slice = 0; slice < SLICES; slice++) {
            split_slice(ahead.weight, ring + i * VT_PAIR, slice, &fetch);
        }
        advance(&ahead);
    }
    /* Slices of a panel. */
    const ptrdiff_t slices = (ptrdiff_t)SLICES * steps * passes;
    const ptrdiff_t share = args->v_f_stride / args->groups;
    fetch.part = (ptrdiff_t)(elements * sizeof(float)) / PARTS / LINE_BYTES * LINE_BYTES;
    fetch.weight_step = fetch.part / slices;
    fetch.lines = !args->far ? 0 : fetch.weight_step <= LINE_BYTES ? 1 : 2;
    fetch.v_step = share * (ptrdiff_t)sizeof(float) / slices;
    int slot = 0;
    configure();
    ORDER_MEMORY();
    for (int p = 0; p < args->panels; p++) {
        const int f = (args->first + p) / args->groups, g = (args->first + p) % args->groups;
        const float *v = args->v + f * args->v_f_stride;
        float *y = args->y + f * args->y_f_stride + g * args->y_group_stride;
        fetch.weight =
            (const char *)(p + 1 < args->panels ? args->weight + (p + 1) * args->weight_stride
                                                : args->after);
        fetch.v = (const char *)(v + args->v_f_stride + g * share);
        for (int t = 0; t < args->tiles; t += VT_TILES) {
            const char *tiles = (const char *)v + (ptrdiff_t)(t / VT_TILES) * steps * VT_PAIR;
            float *to = y + (ptrdiff_t)t * VF_LANES;
            slot = args->tiles - t > HALF ? multiply(tiles, ring, slot, &ahead, &fetch, steps, to,
                                                     args->y_block_stride, 2)
                                          : multiply(tiles, ring, slot, &ahead, &fetch, steps, to,
                                                     args->y_block_stride, 1);
        }
    }
    _tile_release();
}

/* The products of a step without loads and splitting, which the unit ideally never waits for. */
void VGG_KERNEL(product_peak)(struct vgg_peak_args *args)
{
    enum { REGISTERS = 4, PRODUCTS_OF_TERMS = 6 };
    _Alignas(LINE_BYTES) uint16_t terms[REGISTERS][HALF][CHANNELS];
    _Alignas(LINE_BYTES) float y[HALF][HALF];
    uint32_t state = 1;
    for (int i = 0; i < REGISTERS * HALF * CHANNELS; i++) {
        state = state * 1664525 + 1013904223;
        /* From 1 to 2, either sign. */
        terms[i / (HALF * CHANNELS)][i / CHANNELS % HALF][i % CHANNELS] =
            (uint16_t)(0x3f80 | (state >> 16 & 0x807f));
    }
    configure();
    ORDER_MEMORY();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, terms[0], VT_ROW);
    _tile_loadd(5, terms[1], VT_ROW);
    _tile_loadd(6, terms[2], VT_ROW);
    _tile_loadd(7, terms[3], VT_ROW);
    for (int64_t n = 0; n < args->iterations; n++) {
        const int halves = 2;
        MULTIPLY();
    }
    _tile_stored(0, y, VT_ROW);
    ORDER_MEMORY();
    _tile_release();
    const double multiplied = REGISTERS * (double)(HALF * HALF * CHANNELS) / PRODUCTS_OF_TERMS;
    args->flops = (double)args->iterations * multiplied * 2;
    args->result = y[0][0] + args->seed;
}
