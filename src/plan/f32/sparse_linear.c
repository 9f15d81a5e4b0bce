/* SPDX-License-Identifier: MIT */
/* Fully connected layers with column-major weights (kernels.h). Before a layer's tasks run, its nonzero inputs are listed
 * and copied side by side; the weights of the others are not read.
 *
 * 0 * w is 0 for every finite w, and a packed file has no others, so skipping zeros changes nothing. NaN and infinite
 * inputs are not zero: they are multiplied by every weight, as in PyTorch. */
#include "plan/f32/sparse_linear.h"

#include <string.h>

#include "base/arith.h"
#include "plan/f32/linear_weights.h"

enum {
    TILE = VGG_COLUMNS_TILE,
    BLOCK = VGG_COLUMNS_BLOCK,
    LINE = VGG_ALIGN_BYTES / sizeof(float),
};

/* A layer for up to VGG_COLUMNS_BATCH images. */
struct columns_run {
    const struct vgg_kernels *kernels;
    /* Of these images. */
    const struct vgg_linear_args *layer;
    /* Images of a tile, which are listed together. */
    size_t tile;
    /* Without the slices, which differ by task. */
    struct vgg_columns_args args;
    /* Tasks. */
    int groups;
    /* The memory of args.lists and args.x, to be written. */
    int32_t *lists;
    float *x;
    /* Nonzero inputs of each tile. */
    uint64_t nonzero[VGG_COLUMNS_BATCH / TILE];
};

static size_t count_blocks(int k)
{
    return (size_t)vgg_ceil_div(k, BLOCK);
}

/* Elements of a tile's list and of its listed inputs. */
static size_t list_stride(int k)
{
    return vgg_size_round_up(count_blocks(k) + (size_t)k, LINE);
}
static size_t x_stride(int k, size_t tile)
{
    return vgg_size_round_up((size_t)k * tile, LINE);
}

/* On overflow it returns more than any limit. */
size_t vgg_sparse_linear_count_scratch(int k, int images)
{
    const int n = images < VGG_COLUMNS_BATCH ? images : VGG_COLUMNS_BATCH;
    const size_t tile = n > 1 ? TILE : 1, tiles = (size_t)vgg_ceil_div(n, TILE);
    size_t elements;
    return vgg_size_mul(tiles, list_stride(k) + x_stride(k, tile), &elements) &&
                   elements < SIZE_MAX / 8
               ? elements
               : SIZE_MAX / 8;
}

int vgg_sparse_linear_count_groups(const struct vgg_step *step, int threads)
{
    /* The number of slices that the kernel prefers, if that leaves each thread two tasks. */
    const int slices = vgg_ceil_div(vgg_linear_view(step).rows, VGG_COLUMNS_ROWS);
    const int share = slices / (2 * threads);
    const int together = share < 1 ? 1 : share > VGG_COLUMNS_STREAMS ? VGG_COLUMNS_STREAMS : share;
    return vgg_ceil_div(slices, together);
}

/* The bits without the sign, which are 0 for zeros of either sign. */
static uint32_t bits_of(const float *x)
{
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return bits << 1;
}

/* Whether to list zeros, too. One image's inputs are read fastest in whole blocks, and if few are zero the CPU's prefetchers
 * read most of the skipped weights anyway: with a twentieth of zeros at random places, skipping them takes 10 % longer;
 * with a quarter it takes the same time. */
static bool is_dense(const float *x, size_t k)
{
    size_t nonzero = 0;
    for (size_t i = 0; i < k; i++) {
        nonzero += bits_of(x + i) != 0;
    }
    return nonzero > k / 4 * 3;
}

/* Lists the inputs of one tile, except those that are zero in all of its images. */
static void list_task(void *context, size_t index, int worker)
{
    (void)worker;
    struct columns_run *run = context;
    const struct vgg_linear_args *layer = run->layer;
    const size_t k = (size_t)layer->k, tile = run->tile, first = index * tile;
    const size_t left = (size_t)layer->n - first, images = left < tile ? left : tile;
    const float *x = layer->x + (ptrdiff_t)first * layer->x_stride;
    int32_t *ends = run->lists + index * (size_t)run->args.list_stride;
    int32_t *list = ends + count_blocks(layer->k);
    float *inputs = run->x + index * (size_t)run->args.x_stride;
    const bool all = tile == 1 && is_dense(x, k);
    size_t used = 0;
    run->nonzero[index] = 0;
    for (size_t begin = 0; begin < k; begin += BLOCK) {
        const size_t count = k - begin < BLOCK ? k - begin : BLOCK;
        uint32_t any[BLOCK] = {0}, nonzero = 0;
        for (size_t p = 0; p < images; p++) {
            const float *row = x + (ptrdiff_t)p * layer->x_stride + begin;
            for (size_t i = 0; i < count; i++) {
                any[i] |= bits_of(row + i);
                nonzero += bits_of(row + i) != 0;
            }
        }
        run->nonzero[index] += nonzero;
        for (size_t i = 0; i < count; i++) {
            /* Always written, but overwritten if not needed: a branch would often be mispredicted. */
            list[used] = (int32_t)(begin + i);
            for (size_t p = 0; p < images; p++) {
                inputs[used * tile + p] =
                    x[(ptrdiff_t)p * layer->x_stride + (ptrdiff_t)(begin + i)];
            }
            used += all || any[i] != 0;
        }
        ends[begin / BLOCK] = (int32_t)used;
    }
}

static void columns_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct columns_run *run = context;
    const int64_t slices = vgg_ceil_div(run->args.rows, VGG_COLUMNS_ROWS);
    struct vgg_columns_args args = run->args;
    args.begin = (int)(slices * (int64_t)index / run->groups);
    args.end = (int)(slices * ((int64_t)index + 1) / run->groups);
    run->kernels->columns(&args);
}

/* The number of inputs that at least one tile lists. */
static size_t count_read(const struct columns_run *run, size_t tiles)
{
    const size_t blocks = count_blocks(run->args.k);
    size_t total = 0;
    if (tiles == 1) {
        return (size_t)run->lists[blocks - 1];
    }
    for (size_t block = 0; block < blocks; block++) {
        bool read[BLOCK] = {false};
        for (size_t t = 0; t < tiles; t++) {
            const int32_t *ends = run->lists + t * (size_t)run->args.list_stride;
            for (int32_t i = block > 0 ? ends[block - 1] : 0; i < ends[block]; i++) {
                const size_t at = (size_t)ends[blocks + (size_t)i] % BLOCK;
                total += !read[at];
                read[at] = true;
            }
        }
    }
    return total;
}

/* Computes the layer for the images of run->layer. */
static void run_batch(const struct vgg_executor *executor, const struct vgg_step *step,
                      struct columns_run *run)
{
    struct vgg_step_state *state = vgg_executor_get_state(executor, step);
    const int n = run->layer->n;
    const size_t tiles = (size_t)vgg_ceil_div(n, TILE);
    run->tile = n > 1 ? TILE : 1;
    run->args.n = n;
    run->args.list_stride = (ptrdiff_t)list_stride(run->args.k);
    run->args.x_stride = (ptrdiff_t)x_stride(run->args.k, run->tile);
    run->x = (float *)(void *)(run->lists + tiles * (size_t)run->args.list_stride);
    run->args.lists = run->lists;
    run->args.x = run->x;
    run->args.y = run->layer->y;
    vgg_pool_run(executor->pool, tiles, list_task, run);
    vgg_pool_run(executor->pool, (size_t)run->groups, columns_task, run);
    const uint64_t column_bytes = vgg_columns_elements((size_t)run->args.rows, 1) *
                                  vgg_dtype_get_bytes(vgg_linear_view(step).weight->dtype);
    state->read_bytes += count_read(run, tiles) * column_bytes;
    state->inputs += (uint64_t)n * (uint64_t)run->args.k;
    for (size_t t = 0; t < tiles; t++) {
        state->nonzero_inputs += run->nonzero[t];
    }
}

void vgg_sparse_linear_run(const struct vgg_executor *executor, const struct vgg_step *step,
                           const struct vgg_linear_args *layer, float *scratch)
{
    const struct vgg_tensor *weight = vgg_linear_view(step).weight;
    struct vgg_linear_args part = *layer;
    struct columns_run run = {
        .kernels = executor->plan->options.kernels,
        .layer = &part,
        .groups = step->cut.groups,
        .lists = (int32_t *)(void *)scratch,
        .args = {.weight = weight->data,
                 .type = vgg_linear_get_type(weight->dtype),
                 .bias = layer->bias,
                 .y_stride = layer->y_stride,
                 .rows = layer->end,
                 .k = layer->k,
                 .relu = layer->relu},
    };
    for (int first = 0; first < layer->n; first += VGG_COLUMNS_BATCH) {
        const int left = layer->n - first;
        part.n = left < VGG_COLUMNS_BATCH ? left : VGG_COLUMNS_BATCH;
        part.x = layer->x + first * layer->x_stride;
        part.y = layer->y + first * layer->y_stride;
        run_batch(executor, step, &run);
    }
}
