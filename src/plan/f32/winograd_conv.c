/* SPDX-License-Identifier: MIT */
/* Winograd convolution as a step: input transform, products, output transform.
 *
 *   TILES      a task takes a block of tiles through all three while it stays in the second-level cache:
 *                  for each input block: V[f][ic][t];  for each group: M[f][2][t], then its outputs
 *              Weights are read once a block of tiles.
 *   FREQUENCY  three loops over many tiles, of several images where there are; products frequency by
 *              frequency:
 *                  V[f][ic][t] for all t;  M[f][oc][t];  outputs
 *              Weights are read in order, each panel fetched ahead, once for as many tiles as the shared
 *              cache holds well. In a one-shot plan products and outputs are made for some groups after
 *              the others, so that the memory for their weights is small.
 *
 * Both read weights packed [f][group][ic][G], of which a panel is [ic][G]: so packed files can hold them
 * before the number of threads and images is known.
 *
 * V and M have an odd number of cache lines from frequency to frequency, so that the stores of one tile
 * do not fall into the same set of the first-level cache. */
#include "plan/f32/winograd_conv.h"

#include <stdatomic.h>

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/f32/prepack.h"
#include "plan/f32/winograd_weights.h"

/* So that no thread waits long for the last one. */
enum { SLICES_PER_THREAD = 4 };

struct winograd_run {
    const struct vgg_kernels *kernels;
    const struct vgg_step *step;
    const struct vgg_winograd *layout;
    const float *weight; /* prepacked, of the groups below */
    const struct vgg_activation *in, *out;
    int count;               /* images */
    int blocks;              /* of tiles in an image, for TILES */
    atomic_size_t next;      /* of the blocks of all images, for TILES */
    int group_begin, groups; /* of output channels, whose weights are there */
    int slices;              /* of their panels, for FREQUENCY */
    int begin, end;          /* tiles of all images, those of this round of FREQUENCY */
    float *scratch;          /* [slots][slot_elements]: V, then M */
    float *v, *m;
};

/* Tiles begin … end-1 of image n, the blocks of input channels that are transformed together from `block`
 * on; v_tile is the number of tile `begin` in V. */
static void transform_input(const struct winograd_run *run, int n, int block, int begin, int end,
                            float *v, int v_tile)
{
    const struct vgg_activation *in = run->in;
    run->kernels->winograd_input(&(struct vgg_winograd_input_args){
        .m = run->layout->m,
        .x = in->data + n * in->n_stride + block * in->block_stride -
             in->pad * (in->row_stride + in->lanes),
        .x_block_stride = in->block_stride,
        .x_row_stride = in->row_stride,
        .rows = in->shape.h + 2 * in->pad,
        .columns = in->shape.w + 2 * in->pad,
        .tiles_w = run->layout->tiles_w,
        .tile_begin = begin,
        .tile_end = end,
        .block = block,
        .blocks = in->blocks,
        .v = v,
        .v_f_stride = (ptrdiff_t)run->layout->v_f_stride,
        .v_block_stride = (ptrdiff_t)run->layout->plane,
        .v_tile = v_tile,
    });
}

/* Panels first … first+panels-1 of the weights with V, those of all groups or of one, whose products then
 * go to m. */
static void multiply(const struct winograd_run *run, size_t group, bool alone, int first,
                     int panels, int tiles, const float *v, float *m)
{
    const struct vgg_step *step = run->step;
    const struct vgg_kernels *kernels = run->kernels;
    const size_t f_count = (size_t)vgg_winograd_count_frequencies(step),
                 groups = (size_t)run->groups;
    const size_t panel = step->conv.group_elements / f_count;
    const float *weight = run->weight, *end = weight + groups * step->conv.group_elements;
    const size_t stride = alone ? groups * panel : panel;
    const float *begin = weight + group * panel + (size_t)first * stride;
    const float *after =
        alone ? weight + (group + 1) % groups * panel : begin + (size_t)panels * panel;
    kernels->gemm(&(struct vgg_gemm_args){
        .v = v,
        .v_f_stride = (ptrdiff_t)run->layout->v_f_stride,
        .v_block_stride = (ptrdiff_t)run->layout->plane,
        .ic_blocks = run->in->blocks,
        .weight = begin,
        .weight_stride = (ptrdiff_t)stride,
        .after = after < end ? after : weight,
        .far = step->winograd_conv.algorithm == VGG_WINOGRAD_FREQUENCY,
        .groups = alone ? 1 : run->groups,
        .first = first,
        .panels = panels,
        .y = m,
        .y_f_stride = (ptrdiff_t)run->layout->m_f_stride,
        .y_group_stride = (ptrdiff_t)run->layout->plane * kernels->conv_blocks,
        .y_block_stride = (ptrdiff_t)run->layout->plane,
        .tiles = tiles,
    });
}

/* The same tiles of one block of output channels. */
static void transform_output(const struct winograd_run *run, int n, int block, int begin, int end,
                             const float *m)
{
    const struct vgg_activation *out = run->out;
    run->kernels->winograd_output(&(struct vgg_winograd_output_args){
        .m = run->layout->m,
        .m_data = m,
        .m_f_stride = (ptrdiff_t)run->layout->m_f_stride,
        .bias = run->step->conv.weights.bias + (ptrdiff_t)block * run->kernels->lanes,
        .y = out->data + n * out->n_stride + block * out->block_stride,
        .y_row_stride = out->row_stride,
        .oh = out->shape.h,
        .ow = out->shape.w,
        .tiles_w = run->layout->tiles_w,
        .tile_begin = begin,
        .tile_end = end,
        .relu = run->step->conv.relu,
        .pool = run->step->winograd_conv.pool,
    });
}

static void clear_padding(const struct winograd_run *run, int n, int block)
{
    const struct vgg_activation *out = run->out;
    vgg_activation_clear_padding(out, out->data + n * out->n_stride + block * out->block_stride, 0,
                                 out->shape.h);
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* A block of tiles of one image, from input to output. */
static void compute_block(const struct winograd_run *run, size_t index, float *scratch)
{
    const struct vgg_step *step = run->step;
    const struct vgg_kernels *kernels = run->kernels;
    const int in_blocks = run->in->blocks;
    const int n = (int)(index / (size_t)run->blocks), block = (int)(index % (size_t)run->blocks);
    const int tiles = run->layout->tiles_h * run->layout->tiles_w;
    const int begin = (int)((int64_t)tiles * block / run->blocks);
    const int end = (int)((int64_t)tiles * (block + 1) / run->blocks);
    const ptrdiff_t plane = (ptrdiff_t)run->layout->plane;
    float *v = scratch,
          *m = v + (size_t)vgg_winograd_count_frequencies(step) * run->layout->v_f_stride;

    for (int b = 0; b < in_blocks; b += kernels->v_blocks) {
        transform_input(run, n, b, begin, end, v, 0);
    }
    for (int g = 0; g < step->cut.groups; g++) {
        multiply(run, (size_t)g, true, 0, vgg_winograd_count_frequencies(step), end - begin, v, m);
        const int first = g * kernels->conv_blocks;
        for (int b = 0; b < min(kernels->conv_blocks, run->out->blocks - first); b++) {
            transform_output(run, n, first + b, begin, end, m + b * plane);
            if (block == 0) {
                clear_padding(run, n, first + b);
            }
        }
    }
}

/* Computes blocks, with one slot's scratch, until none are left. */
static void tiles_task(void *context, size_t slot, int worker)
{
    (void)worker;
    struct winograd_run *run = context;
    const size_t blocks = (size_t)run->count * (size_t)run->blocks;
    float *scratch = run->scratch + slot * run->step->scratch.slot_elements;
    for (size_t i; (i = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed)) < blocks;) {
        compute_block(run, i, scratch);
    }
}

/* An image's part of this round's tiles. */
struct part {
    int n, begin, end; /* tiles of the image */
    int at;            /* the first one's number in the round */
};

static struct part part_of(const struct winograd_run *run, size_t index)
{
    const int tiles = run->layout->tiles_h * run->layout->tiles_w;
    struct part part = {.n = run->begin / tiles + (int)index};
    const int first = part.n * tiles;
    part.begin = run->begin > first ? run->begin - first : 0;
    part.end = min(run->end - first, tiles);
    part.at = first + part.begin - run->begin;
    return part;
}

static void frequency_input_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const int together = run->kernels->v_blocks;
    const size_t calls = (size_t)vgg_ceil_div(run->in->blocks, together);
    const struct part part = part_of(run, index / calls);
    transform_input(run, part.n, (int)(index % calls) * together, part.begin, part.end, run->v,
                    part.at);
}

/* A slice of the panels, in the order in which they lie in memory. */
static void frequency_product_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const struct vgg_step *step = run->step;
    const size_t panels = (size_t)run->groups * (size_t)vgg_winograd_count_frequencies(step);
    const size_t begin = panels * index / (size_t)run->slices;
    const size_t end = panels * (index + 1) / (size_t)run->slices;
    multiply(run, 0, false, (int)begin, (int)(end - begin), run->end - run->begin, run->v, run->m);
}

/* The output channels of run->groups; M begins with the first of them. */
static int output_blocks(const struct winograd_run *run)
{
    const int group = run->kernels->conv_blocks;
    return min(run->groups * group, run->out->blocks - run->group_begin * group);
}

static void frequency_output_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const struct vgg_winograd *conv = run->layout;
    const struct part part = part_of(run, index / (size_t)output_blocks(run));
    const int block = (int)(index % (size_t)output_blocks(run)), L = run->kernels->lanes;
    const int channel = run->group_begin * run->kernels->conv_blocks + block;
    transform_output(run, part.n, channel, part.begin, part.end,
                     run->m + block * (ptrdiff_t)conv->plane + (ptrdiff_t)part.at * L);
    if (part.begin == 0) {
        clear_padding(run, part.n, channel);
    }
}

/* One round: the tiles run->begin … run->end-1, all groups of output channels or some of them after the others. */
static void run_round(struct vgg_executor *executor, struct winograd_run *run, bool first_round)
{
    const struct vgg_step *step = run->step;
    const struct vgg_winograd *layout = run->layout;
    struct vgg_pool *pool = executor->pool;
    const int tiles = layout->tiles_h * layout->tiles_w;
    const size_t calls = (size_t)vgg_ceil_div(run->in->blocks, run->kernels->v_blocks);
    const size_t images = (size_t)((run->end - 1) / tiles - run->begin / tiles + 1);
    vgg_pool_run(pool, images * calls, frequency_input_task, run);
    for (int first = 0; first < step->cut.groups; first += layout->groups) {
        run->group_begin = first;
        run->groups = min(layout->groups, step->cut.groups - first);
        run->slices = min(run->groups * vgg_winograd_count_frequencies(step),
                          SLICES_PER_THREAD * executor->plan->options.threads);
        if (first_round || layout->groups < step->cut.groups) {
            vgg_conv_prepack_groups(executor, step, first, run->groups);
        }
        vgg_pool_run(pool, (size_t)run->slices, frequency_product_task, run);
        vgg_pool_run(pool, images * (size_t)output_blocks(run), frequency_output_task, run);
    }
}

/* The tiles of all images, a round of some of them after the other. */
static void run_frequencies(struct vgg_executor *executor, struct winograd_run *run)
{
    const struct vgg_winograd *layout = run->layout;
    const int all = run->count * layout->tiles_h * layout->tiles_w;
    const int rounds = vgg_ceil_div(all, layout->block);
    for (int i = 0; i < rounds; i++) {
        run->begin = (int)((int64_t)all * i / rounds);
        run->end = (int)((int64_t)all * (i + 1) / rounds);
        run_round(executor, run, i == 0);
    }
}

void vgg_winograd_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    const struct vgg_winograd *layout = &step->winograd_conv.layout;
    float *scratch = vgg_executor_get_state(executor, step)->scratch;
    struct winograd_run run = {
        .kernels = executor->plan->options.kernels,
        .step = step,
        .layout = layout,
        .weight = vgg_conv_get_weights(executor, step),
        .in = &executor->activations[step->in],
        .out = &executor->activations[step->out],
        .count = executor->count,
        .scratch = scratch,
        .v = scratch,
        .m = scratch + (size_t)vgg_winograd_count_frequencies(step) * layout->v_f_stride,
    };
    if (step->winograd_conv.algorithm == VGG_WINOGRAD_TILES) {
        vgg_conv_prepack_groups(executor, step, 0, step->cut.groups);
        run.groups = step->cut.groups;
        run.blocks = vgg_ceil_div(layout->tiles_h * layout->tiles_w, layout->block);
        vgg_pool_run(executor->pool, (size_t)step->scratch.slots, tiles_task, &run);
        return;
    }
    run_frequencies(executor, &run);
}
