/* SPDX-License-Identifier: MIT */
/* The contract of the kernels: what each one computes, and on what layouts.
 *
 * Letters used throughout:
 *   n  image of the batch      c, ic, oc  channel, input channel, output channel
 *   h, w  row and column         k  position along a sum      L  lanes of a vector of this ISA
 *
 * Blocked activations. L channels lie side by side, so that a vector is one pixel of one block and no
 * kernel ever shuffles:
 *
 *     x[n][c / L][h + 2 pad][w + 2 pad][L]        strides in elements
 *
 * Round each plane lies a frame of `pad` zero pixels, so that convolution needs no special case at the
 * edges. Whoever writes a plane writes its frame. Channels past the last real one are zeros.
 * Images start at a multiple of 64 bytes, blocks and rows at a multiple of L floats.
 *
 * Planar activations are the same with L = 1: [n][c][h + 2 pad][w + 2 pad], or [n][features].
 *
 * Arithmetic is float32, in an order that depends on a layer's shape alone: not on how it is cut for
 * registers, threads or the batch. A direct sum is one chain of multiply-adds; Winograd's is one a
 * frequency, between its transforms. A fused multiply-add rounds once where the ISA has one (all but
 * scalar).
 *
 * NaN and infinity pass through as in PyTorch: ReLU and max-pool of NaN are NaN.
 * Kernels neither allocate nor fail; the plan has checked the arguments. */
#ifndef VGG_KERNELS_KERNELS_H
#define VGG_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/column_tile.h"
#include "kernels/general_kernels.h"

/* Direct convolution of some rows of one image for one group of output channels, s the stride:
 *     y[oc][oh][ow] = bias[oc] + Σ x[ic][s oh + kh][s ow + kw] * weight[oc][ic][kh][kw]
 * summed over ic blocks, kh, kw, channels in the block, in this order. */
struct vgg_conv_args {
    /* Input pixel (oh = 0, ow = 0, kh = kw = 0), that is inside the frame's upper left corner. */
    const float *x;
    ptrdiff_t x_block_stride, x_row_stride;
    ptrdiff_t x_channel_stride; /* planar input only; 1 when blocked */
    int ic_blocks;              /* 1 when planar */
    int ic_block;               /* channels in a block: L, or all of them when planar */
    int kernel;                 /* side */
    int stride;                 /* pixels from one window to the next */

    const float *weight; /* packed [ic_blocks][kernel][kernel][ic_block][conv_blocks][L] */
    const float *bias;   /* [conv_blocks][L]; both aligned to L floats */

    float *y; /* output pixel (0, 0) of the group's first block */
    ptrdiff_t y_block_stride, y_row_stride;
    int oc_blocks; /* blocks to store: conv_blocks, or fewer in the last group */
    int oh_begin, oh_end;
    int ow;
    int relu; /* not 0: y = max(y, 0) */
};

/* How a fully connected layer's weights are kept; they are widened exactly, and all arithmetic is float32. */
enum vgg_weights_type { VGG_WEIGHTS_F32, VGG_WEIGHTS_BF16, VGG_WEIGHTS_F16 };

/* Fully connected rows begin … end-1 for n images:
 *     y[n][row] = bias[row] + Σ x[n][k] * weight[row][k]
 * each sum in L interleaved chains over k, added pairwise at the end. */
struct vgg_linear_args {
    const void *weight; /* [rows][k] in native byte order, any byte alignment */
    enum vgg_weights_type type;
    const float *bias; /* [rows], or NULL */
    const float *x;    /* [n][x_stride] */
    ptrdiff_t x_stride;
    float *y; /* [n][y_stride] */
    ptrdiff_t y_stride;
    int begin, end;
    int k;
    int n;
    int relu;
};

/* Fully connected weights in columns: what VGG_COLUMNS_ROWS rows do with one input lies side by side, so that
 * an input that is zero leaves a run of bytes unread:
 *
 *     weight[row / 64][k][row % 64]        rows past the last one are zeros
 *
 * Slices of 64 rows begin … end-1 for n images, VGG_COLUMNS_BATCH at most:
 *     y[n][row] = bias[row] + Σ x[n][k] * weight[row][k]
 * over the inputs that are listed, in blocks of VGG_COLUMNS_BLOCK inputs: one chain a block, and the blocks are
 * added in their order. Where weights are finite, an input that is zero for an image changes no bit of its
 * sums, whether it is listed or not: it adds zeros, and a sum of -0 is made 0 before the bias is added.
 *
 * Images go in tiles of VGG_COLUMNS_TILE, but one image alone in a tile of one. Each tile has a list of the
 * inputs to be multiplied,
 *     ends[blocks], k[ends[blocks - 1]]            k ascends; ends[b] are below (b + 1) * VGG_COLUMNS_BLOCK
 * and these inputs, [i][image of the tile] for each k[i]. */
enum {
    VGG_COLUMNS_ROWS = VGG_COLUMN_TILE_ROWS,
    VGG_COLUMNS_BLOCK = 64,
    VGG_COLUMNS_TILE = 8,
    VGG_COLUMNS_BATCH = 64,
    VGG_COLUMNS_STREAMS = 8, /* slices that one call for few images is best a multiple of */
};
struct vgg_columns_args {
    const void *weight; /* in native byte order, any byte alignment */
    enum vgg_weights_type type;
    const float *bias;    /* [rows], or NULL */
    const int32_t *lists; /* [tiles][list_stride] */
    ptrdiff_t list_stride;
    const float *x; /* [tiles][x_stride] */
    ptrdiff_t x_stride;
    float *y; /* [n][y_stride] */
    ptrdiff_t y_stride;
    int begin, end; /* slices */
    int rows;       /* of all slices: no y past them is written */
    int k;
    int n;
    int relu;
};

/* Max-pool, output rows of one block: windows of kernel × kernel pixels, stride apart. */
struct vgg_max_pool_args {
    const float *x; /* pixel (0, 0) of the block */
    ptrdiff_t x_row_stride;
    float *y;
    ptrdiff_t y_row_stride;
    int kernel, stride;
    int oh_begin, oh_end, ow;
};

/* Adaptive average pool of one block; the window of output (i, j) is rows floor(i ih / oh) to
 * ceil((i + 1) ih / oh) - 1, columns alike. */
struct vgg_avg_pool_args {
    const float *x;
    ptrdiff_t x_row_stride;
    int ih, iw;
    float *y;
    ptrdiff_t y_row_stride;
    int oh, ow;
};

/* y[i] = x[i] * scale + shift for the L channels of one block, rows of w pixels; and ReLU. */
struct vgg_pointwise_args {
    const float *x;
    ptrdiff_t x_row_stride;
    float *y;
    ptrdiff_t y_row_stride;
    int h, w;
    const float *scale, *shift; /* [L]; NULL in relu */
};

/* Local response normalisation of some rows of one block: over the channels c - size / 2 to
 * c + (size - 1) / 2, of which those that do not exist are zeros,
 *     y[c] = x[c] / (k + alpha / size * Σ x²)^beta
 * Squares are float32 as in PyTorch: those of numbers beyond 1.8e19 are infinite. Unlike all others it may
 * write what is no zero to the channels past the last one. */
enum { VGG_LRN_MAX_SIZE = 255 }; /* channels of a window */
struct vgg_lrn_args {
    const float *x; /* pixel (0, 0) of block 0 */
    ptrdiff_t x_block_stride, x_row_stride;
    int blocks; /* of the input */
    int block;  /* the one to compute, whose windows reach into its neighbours */
    float *y;   /* its pixel (0, 0) */
    ptrdiff_t y_row_stride;
    int h_begin, h_end, w;
    int size; /* 1 … VGG_LRN_MAX_SIZE */
    float alpha, beta, k;
};

/* Winograd convolution F(m × m, 3 × 3), see winograd.h: three kernels on tiles tile_begin … tile_end-1,
 * counted row by row over a grid tiles_w wide.
 *
 * Input: the patches of one block of channels, or of v_blocks of them where the table says so, transformed
 * to V[f][ic][t].
 *
 * V is for gemm alone, and its layout is the table's. As a rule it is float32 in blocks of channels:
 *     v[f * v_f_stride + block * v_block_stride + t * L]
 * Tables with v_terms = 3 keep each number as a sum of three, see vec_amx.h. */
struct vgg_winograd_input_args {
    int m;          /* 2, 4 or 6 */
    const float *x; /* the frame's upper left pixel of the first block */
    ptrdiff_t x_block_stride, x_row_stride;
    int rows, columns; /* pixels there are, frame included; beyond them are zeros */
    int tiles_w, tile_begin, tile_end;
    int block, blocks; /* the first block's number, and how many there are in all */
    float *v;          /* the whole of V */
    ptrdiff_t v_f_stride, v_block_stride;
    int v_tile; /* tile_begin's number in V */
};

/* Products of Winograd tiles and weights. Panel p of the weights is for group (first + p) % groups of output
 * channels and frequency f = (first + p) / groups:
 *     y[f][oc][t] = Σ v[f][ic][t] * weight[p][ic][oc],  y blocked over channels, t as pixels
 * Panels are multiplied in their order, and what comes next is brought into the cache meanwhile. */
struct vgg_gemm_args {
    const float *v; /* the whole of V, all of its tiles */
    ptrdiff_t v_f_stride, v_block_stride;
    int ic_blocks;
    /* Panels of packed [blocks * L][conv_blocks][L]; blocks is ic_blocks, rounded up to a multiple of
     * v_blocks with zeros. */
    const float *weight;
    ptrdiff_t weight_stride; /* elements from panel to panel */
    const float *after;      /* a panel that will be needed next */
    int far;                 /* not 0: weights come from memory, not from a cache */
    int groups, first, panels;
    float *y; /* frequency 0, group 0; its blocks have room for a multiple of tile_group tiles */
    ptrdiff_t y_f_stride, y_group_stride, y_block_stride;
    int tiles;
};

/* Output: y = Aᵀ M A + bias for one block of channels, then ReLU, then (pool) the maximum of 2 × 2. */
struct vgg_winograd_output_args {
    int m;
    const float *m_data; /* [f * m_f_stride + (t - tile_begin) * L] */
    ptrdiff_t m_f_stride;
    const float *bias; /* [L] */
    float *y;          /* output pixel (0, 0) */
    ptrdiff_t y_row_stride;
    int oh, ow; /* of what is stored: after the pool */
    int tiles_w, tile_begin, tile_end;
    int relu, pool;
};

/* Filters of `count` input channels and L output channels: G g Gᵀ for each,
 *     u[f * u_f_stride + c * u_c_stride + l]  from  g[l * g_stride + 9 c + 3 kh + kw] */
struct vgg_winograd_filter_args {
    int m;
    const float *g;
    ptrdiff_t g_stride;
    int count;
    float *u;
    ptrdiff_t u_f_stride, u_c_stride;
};

/* Measures an arithmetic roof of one core: `iterations` rounds of independent multiply-adds on numbers that
 * change, as constant ones run faster than any others. fma_peak: those of a direct convolution, all operands
 * in the first-level cache; product_peak: those of gemm. */
struct vgg_peak_args {
    int64_t iterations;
    float seed;   /* any number from -1 to 1 that the compiler does not know */
    double flops; /* receives the floating-point operations done, two a multiply-add */
    float result; /* receives a sum, so that the work is not removed */
};

/* Measures the roof of reading: loads every whole vector of data[bytes], any byte alignment. */
struct vgg_read_args {
    const void *data;
    size_t bytes;
    float result; /* receives a sum, so that the work is not removed */
};

/* The kernels, each with its arguments: those that know the layout of V, and all others. */
#define VGG_TILE_KERNEL_LIST(X)                                                                    \
    X(winograd_input, const struct vgg_winograd_input_args)                                        \
    X(gemm, const struct vgg_gemm_args)                                                            \
    X(product_peak, struct vgg_peak_args)
#define VGG_OTHER_KERNEL_LIST(X)                                                                   \
    X(conv_nchwc, const struct vgg_conv_args)                                                      \
    X(conv_nchw, const struct vgg_conv_args)                                                       \
    X(winograd_output, const struct vgg_winograd_output_args)                                      \
    X(winograd_filter, const struct vgg_winograd_filter_args)                                      \
    X(linear, const struct vgg_linear_args)                                                        \
    X(columns, const struct vgg_columns_args)                                                      \
    X(max_pool, const struct vgg_max_pool_args)                                                    \
    X(avg_pool, const struct vgg_avg_pool_args)                                                    \
    X(lrn, const struct vgg_lrn_args)                                                              \
    X(scale_shift, const struct vgg_pointwise_args)                                                \
    X(relu, const struct vgg_pointwise_args)                                                       \
    X(fma_peak, struct vgg_peak_args)                                                              \
    X(read_peak, struct vgg_read_args)                                                             \
    VGG_GENERAL_KERNEL_LIST(X)
#define VGG_KERNEL_LIST(X)                                                                         \
    VGG_TILE_KERNEL_LIST(X)                                                                        \
    VGG_OTHER_KERNEL_LIST(X)

/* Everything the plan needs of one ISA. Packed weights fit only the table they were packed for. */
struct vgg_kernels {
    const char *isa;
    int lanes;       /* L */
    int conv_blocks; /* blocks of output channels that one convolution call computes */
    int fused;       /* not 0: multiply-adds round once, two vectors of them a cycle */
    int linear_rows; /* a slice of a fully connected layer is best a multiple of this */
    int v_blocks;    /* blocks that winograd_input transforms in one call */
    int v_lanes;     /* floats that a tile of a block takes in V */
    int v_terms;     /* 1; 3: gemm multiplies numbers in three parts */
    int tile_group;  /* V and gemm's y have room for a multiple of so many tiles */
#define X(op, args_type) void (*op)(args_type * args);
    VGG_KERNEL_LIST(X)
#undef X
};

/* Weights of a fully connected layer in columns; the caller knows that it cannot overflow. */
static inline size_t vgg_columns_elements(size_t rows, size_t k)
{
    return (rows + VGG_COLUMNS_ROWS - 1) / VGG_COLUMNS_ROWS * VGG_COLUMNS_ROWS * k;
}

/* Tiles that V and gemm's y have room for, where `tiles` are asked for. */
static inline size_t vgg_round_tiles(const struct vgg_kernels *kernels, size_t tiles)
{
    const size_t group = (size_t)kernels->tile_group;
    return (tiles + group - 1) / group * group;
}
/* Floats of one frequency of V for so many rounded tiles; the caller knows that it cannot overflow. */
static inline size_t vgg_v_elements(const struct vgg_kernels *kernels, size_t ic_blocks,
                                    size_t rounded_tiles)
{
    const size_t blocks = (size_t)kernels->v_blocks;
    return (ic_blocks + blocks - 1) / blocks * blocks * (size_t)kernels->v_lanes * rounded_tiles;
}

/* The tables that were compiled in; dispatch.h chooses. */
extern const struct vgg_kernels vgg_kernels_scalar;
extern const struct vgg_kernels vgg_kernels_avx2;
extern const struct vgg_kernels vgg_kernels_avx512;
extern const struct vgg_kernels vgg_kernels_amx;
extern const struct vgg_kernels vgg_kernels_neon;

/* In a template, VGG_KERNEL(conv_nchwc) is vgg_conv_nchwc_f32_avx512 and so on. */
#define VGG_KERNEL_NAME_(op, isa) vgg_##op##_f32_##isa
#define VGG_KERNEL_NAME(op, isa) VGG_KERNEL_NAME_(op, isa)
#define VGG_KERNEL(op) VGG_KERNEL_NAME(op, VGG_ISA)
#ifdef VGG_ISA
#define X(op, args_type) void VGG_KERNEL(op)(args_type * args);
VGG_KERNEL_LIST(X)
#undef X
#endif

#endif
