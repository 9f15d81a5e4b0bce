/* SPDX-License-Identifier: MIT */
/* The contract of the float32 kernels: what each one computes, and on which layouts.
 *
 * Letters used throughout:
 *   n  image of the batch        c, ic, oc  channel, input channel, output channel
 *   h, w  row and column         k  position along a sum      L  lanes of a vector of this ISA
 *
 * NCHWc activations: a block of L channels lies side by side, so that a vector is one pixel of one block and no kernel
 * ever shuffles:
 *
 *     x[n][c / L][h + 2 pad][w + 2 pad][L]        strides in elements
 *
 * Each plane is surrounded by a padding of `pad` zero pixels, so that convolution needs no special case at the edges.
 * Whoever writes a plane also writes its padding. The last block's channels beyond the real ones are zeros. Images
 * start at a multiple of 64 bytes, blocks and rows at a multiple of L floats.
 *
 * NCHW activations are the same with L = 1: [n][c][h + 2 pad][w + 2 pad], or [n][features].
 *
 * Arithmetic is float32, in an order that depends on the layer's shape alone: not on how the layer is cut for
 * registers, threads or the batch. The sum of a direct convolution is one chain of multiply-adds; that of a Winograd
 * convolution is one chain for each frequency, between the transforms. A multiply-add rounds once where the ISA has a
 * fused one (all but scalar).
 *
 * NaN and infinity propagate as in PyTorch: ReLU and max-pool of NaN are NaN.
 * Kernels neither allocate nor fail; the plan has checked the arguments. */
#ifndef VGG_KERNELS_KERNELS_H
#define VGG_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "base/column_tile.h"
#include "kernels/general_kernels.h"

/* Direct convolution of some rows of one image for one group of output channels; s is the stride:
 *     y[oc][oh][ow] = bias[oc] + Σ x[ic][s oh + kh][s ow + kw] * weight[oc][ic][kh][kw]
 * summed over blocks of input channels, kh, kw, and the channels of the block, in this order. */
struct vgg_conv_args {
    /* The input pixel of oh = ow = kh = kw = 0: the padding's upper left corner. */
    const float *x;
    ptrdiff_t x_block_stride, x_row_stride;
    /* NCHW only; 1 for NCHWc. */
    ptrdiff_t x_channel_stride;
    /* Blocks, and channels of a block: L. NCHW: 1 block of all channels. */
    int ic_blocks, ic_block;
    /* The side of a filter. */
    int kernel;
    int stride;

    /* Prepacked [ic_blocks][kernel][kernel][ic_block][conv_blocks][L], and [conv_blocks][L]; both aligned to L
     * floats. */
    const float *weight, *bias;

    /* Output pixel (0, 0) of the group's first block. */
    float *y;
    ptrdiff_t y_block_stride, y_row_stride;
    /* Blocks to store: conv_blocks, or fewer in the last group. */
    int oc_blocks;
    int oh_begin, oh_end, ow;
    /* Not 0: y = max(y, 0). */
    int relu;
};

/* Element types of a fully connected layer's weights. They are widened exactly, and all arithmetic is float32. */
enum vgg_weights_type { VGG_WEIGHTS_F32, VGG_WEIGHTS_BF16, VGG_WEIGHTS_F16 };

/* Fully connected rows begin … end-1 for n images:
 *     y[n][row] = bias[row] + Σ x[n][k] * weight[row][k]
 * Each sum consists of L interleaved chains over k, which are added pairwise at the end. */
struct vgg_linear_args {
    /* [rows][k] in native byte order, any byte alignment */
    const void *weight;
    enum vgg_weights_type type;
    /* [rows], or NULL */
    const float *bias;
    /* [n][x_stride] */
    const float *x;
    ptrdiff_t x_stride;
    /* [n][y_stride] */
    float *y;
    ptrdiff_t y_stride;
    int begin, end;
    int k;
    int n;
    int relu;
};

/* Fully connected layer with column-major weights: the weights that VGG_COLUMNS_ROWS rows have for one input lie side
 * by side, so that they can be skipped when the input is zero:
 *
 *     weight[row / 64][k][row % 64]        rows beyond the last one are zeros
 *
 * Slices of 64 rows begin … end-1 for n images, at most VGG_COLUMNS_BATCH:
 *     y[n][row] = bias[row] + Σ x[n][k] * weight[row][k]
 * over the listed inputs. The sum of each block of VGG_COLUMNS_BLOCK inputs is one chain, and the blocks are added in
 * their order. Where weights are finite, it makes no difference to the bits of an image's sums whether an input that is
 * zero for the image is listed: it adds zeros, and a sum of -0 becomes 0 before the bias is added.
 *
 * Images are processed in tiles of VGG_COLUMNS_TILE; a single image is a tile of one. Each tile has a list of the
 * inputs to multiply,
 *     ends[blocks], k[ends[blocks - 1]]            k ascends; all before ends[b] are below (b + 1) * VGG_COLUMNS_BLOCK
 * and the values of these inputs, [i][image of the tile] for each k[i]. */
enum {
    VGG_COLUMNS_ROWS = VGG_COLUMN_TILE_ROWS,
    VGG_COLUMNS_BLOCK = 64,
    VGG_COLUMNS_TILE = 8,
    VGG_COLUMNS_BATCH = 64,
    /* With few images, a call is fastest on a multiple of this many slices. */
    VGG_COLUMNS_STREAMS = 8,
};
struct vgg_columns_args {
    /* In native byte order, any byte alignment. */
    const void *weight;
    enum vgg_weights_type type;
    /* [rows], or NULL */
    const float *bias;
    /* [tiles][list_stride] */
    const int32_t *lists;
    ptrdiff_t list_stride;
    /* [tiles][x_stride] */
    const float *x;
    ptrdiff_t x_stride;
    /* [n][y_stride] */
    float *y;
    ptrdiff_t y_stride;
    /* Slices. */
    int begin, end;
    /* Of all slices: no y beyond them is written. */
    int rows;
    int k;
    int n;
    int relu;
};

/* Max-pool, output rows of one block: windows of kernel × kernel pixels, stride apart. */
struct vgg_max_pool_args {
    /* Pixel (0, 0) of the block. */
    const float *x;
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

/* Pointwise operations on the L channels of one block, h rows of w pixels: scale_shift is y[i] = x[i] * scale + shift,
 * relu is y[i] = max(x[i], 0). */
struct vgg_pointwise_args {
    const float *x;
    ptrdiff_t x_row_stride;
    float *y;
    ptrdiff_t y_row_stride;
    int h, w;
    /* [L]; NULL for relu */
    const float *scale, *shift;
};

/* Channels of a window of local response normalisation. */
enum { VGG_LRN_MAX_SIZE = 255 };

/* Local response normalisation of some rows of one block:
 *     y[c] = x[c] / (k + alpha / size * Σ x²)^beta
 * over the channels c - size / 2 to c + (size - 1) / 2; channels outside the input count as zeros. Squares are float32
 * as in PyTorch: those of numbers beyond 1.8e19 are infinite. Unlike all other kernels it may write nonzero values to
 * the last block's channels beyond the real ones. */
struct vgg_lrn_args {
    /* Pixel (0, 0) of block 0. */
    const float *x;
    ptrdiff_t x_block_stride, x_row_stride;
    /* Blocks of the input, and the one to compute, whose windows reach into its neighbours. */
    int blocks, block;
    /* Pixel (0, 0) of the block to compute. */
    float *y;
    ptrdiff_t y_row_stride;
    int h_begin, h_end, w;
    /* 1 … VGG_LRN_MAX_SIZE */
    int size;
    float alpha, beta, k;
};

/* Winograd convolution F(m × m, 3 × 3) is three kernels: input transform, products, output transform (winograd.h).
 * Tiles tile_begin … tile_end-1 are counted row by row in a grid that is tiles_w wide.
 *
 * Input transform: the patches of v_blocks blocks of channels are transformed to V[f][ic][t].
 *
 * Only gemm reads V, in a layout that the table defines. Usually it is float32 in blocks of channels:
 *     v[f * v_f_stride + block * v_block_stride + t * L]
 * Tables with v_terms = 3 store each number as a sum of three bfloat16 terms, see vec_amx.h. */
struct vgg_winograd_input_args {
    /* 2, 4 or 6 */
    int m;
    /* The padding's upper left pixel in the first block. */
    const float *x;
    ptrdiff_t x_block_stride, x_row_stride;
    /* Pixels of the input with its padding; beyond them are zeros. */
    int rows, columns;
    int tiles_w, tile_begin, tile_end;
    /* The first block's number, and the number of blocks of the whole input. */
    int block, blocks;
    /* The beginning of V, and the number of tile tile_begin in it. */
    float *v;
    ptrdiff_t v_f_stride, v_block_stride;
    int v_tile;
};

/* Products of Winograd tiles and weights. Panel p of the weights is for group (first + p) % groups of output channels
 * and frequency f = (first + p) / groups:
 *     y[f][oc][t] = Σ v[f][ic][t] * weight[p][ic][oc]        y is NCHWc with tiles as pixels
 * Panels are multiplied in their order, while the next ones are prefetched. */
struct vgg_gemm_args {
    /* The beginning of V. */
    const float *v;
    ptrdiff_t v_f_stride, v_block_stride;
    int ic_blocks;
    /* Prepacked panels [blocks * L][conv_blocks][L]; blocks is ic_blocks, rounded up to a multiple of v_blocks, and the
     * weights of the additional channels are zeros. */
    const float *weight;
    /* Elements from panel to panel. */
    ptrdiff_t weight_stride;
    /* The panel that will be needed after these. */
    const float *after;
    /* Not 0: weights come from memory, not from a cache. */
    int far;
    int groups, first, panels;
    /* Frequency 0, group 0. Blocks are allocated for a multiple of tile_group tiles. */
    float *y;
    ptrdiff_t y_f_stride, y_group_stride, y_block_stride;
    int tiles;
};

/* Output transform of one block of channels: y = Aᵀ M A + bias, then ReLU if `relu`, then a max-pool of 2 × 2 if
 * `pool`. */
struct vgg_winograd_output_args {
    int m;
    /* [f * m_f_stride + (t - tile_begin) * L] */
    const float *m_data;
    ptrdiff_t m_f_stride;
    /* [L] */
    const float *bias;
    /* Output pixel (0, 0). */
    float *y;
    ptrdiff_t y_row_stride;
    /* Size of the output, that is after the pool. */
    int oh, ow;
    int tiles_w, tile_begin, tile_end;
    int relu, pool;
};

/* Transforms the filters of `count` input channels and L output channels by G g Gᵀ:
 *     u[f * u_f_stride + c * u_c_stride + l]  from  g[l * g_stride + 9 c + 3 kh + kw] */
struct vgg_winograd_filter_args {
    int m;
    const float *g;
    ptrdiff_t g_stride;
    int count;
    float *u;
    ptrdiff_t u_f_stride, u_c_stride;
};

/* Measures the arithmetic peak of one core with `iterations` rounds of independent multiply-adds. The factors change,
 * because CPUs multiply constant ones faster. fma_peak does those of a direct convolution with all operands in the
 * first-level cache, product_peak those of gemm. */
struct vgg_peak_args {
    int64_t iterations;
    /* From -1 to 1; the compiler must not know it. */
    float seed;
    /* Receives the number of floating-point operations; a multiply-add is two. */
    double flops;
    /* Receives a sum, so that the compiler cannot remove the work. */
    float result;
};

/* Measures the peak read bandwidth: loads every whole vector of data[bytes], any byte alignment. */
struct vgg_read_args {
    const void *data;
    size_t bytes;
    /* Receives a sum, so that the compiler cannot remove the work. */
    float result;
};

/* X(kernel, arguments): the kernels that know the layout of V, and all others. */
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

/* The kernels of one ISA, and what a plan must know about them. Prepacked weights depend on lanes, conv_blocks and
 * v_blocks. */
struct vgg_kernels {
    const char *isa;
    /* L */
    int lanes;
    /* Blocks of output channels that one call of a convolution computes. */
    int conv_blocks;
    /* Not 0: multiply-adds round once, and two vectors of them start each cycle. */
    int fused;
    /* Slices of a fully connected layer should be a multiple of this many rows. */
    int linear_rows;
    /* Blocks that winograd_input transforms in one call. */
    int v_blocks;
    /* Floats of a tile of a block in V. */
    int v_lanes;
    /* Terms that gemm splits each number into: 1, that is none, or 3. */
    int v_terms;
    /* Tile counts of V and of gemm's y are rounded up to a multiple of this. */
    int tile_group;
#define X(op, args_type) void (*op)(args_type * args);
    VGG_KERNEL_LIST(X)
#undef X
};

/* Elements of column-major weights; the caller knows that it cannot overflow. */
static inline size_t vgg_columns_elements(size_t rows, size_t k)
{
    return (rows + VGG_COLUMNS_ROWS - 1) / VGG_COLUMNS_ROWS * VGG_COLUMNS_ROWS * k;
}

/* The number of tiles that V and gemm's y are allocated for. */
static inline size_t vgg_round_tiles(const struct vgg_kernels *kernels, size_t tiles)
{
    const size_t group = (size_t)kernels->tile_group;
    return (tiles + group - 1) / group * group;
}
/* Floats of one frequency of V; the caller knows that it cannot overflow. */
static inline size_t vgg_v_elements(const struct vgg_kernels *kernels, size_t ic_blocks,
                                    size_t rounded_tiles)
{
    const size_t blocks = (size_t)kernels->v_blocks;
    return (ic_blocks + blocks - 1) / blocks * blocks * (size_t)kernels->v_lanes * rounded_tiles;
}

/* One table for each ISA that is compiled in; dispatch.h chooses. */
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
