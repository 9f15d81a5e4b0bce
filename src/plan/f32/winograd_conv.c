/* SPDX-License-Identifier: MIT */
/* Winograd convolution as a step: input transform, products, output transform.
 *
 *   TILES      Each task takes a block of tiles through all three while the block stays in the second-level cache:
 *                  for each block of input channels: V[f][ic][t]
 *                  for each group of output channels: M[f][conv_blocks][t], then its outputs
 *              The weights are read once for each block of tiles.
 *   FREQUENCY  Three loops, each over many tiles, which may be of several images:
 *                  V[f][ic][t] for all t;  M[f][oc][t], frequency by frequency;  outputs
 *              The weights are read in order, each panel prefetched, once for a round of tiles; a round is what the
 *              shared cache holds well. A one-shot plan makes products and outputs for some groups of output
 *              channels at a time, so that the weights of these groups need little memory.
 *
 * Both read weights in the order [f][group][ic][G]; a panel is [ic][G]. The order does not depend on the number of
 * threads and images, so packed files can hold it.
 *
 * V and M have an odd number of cache lines from frequency to frequency, so that the stores of one tile do not fall
 * into the same set of the first-level cache. */
#include "plan/f32/winograd_conv.h"

#include <stdatomic.h>

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/f32/prepack.h"
#include "plan/f32/winograd_weights.h"
#include "plan/task.h"

struct winograd_run {
    const struct vgg_kernels *kernels;
    const struct vgg_step *step;
    const struct vgg_winograd *layout;
    /* Prepacked, of the groups below. */
    const float *weight;
    const struct vgg_activation *in, *out;
    /* Images. */
    int count;
    /* TILES: blocks of tiles in an image, and the next one to compute, counted over all images. */
    int blocks;
    atomic_size_t next;
    /* The groups of output channels whose weights are there. */
    int group_begin, groups;
    /* FREQUENCY: slices that the panels of these groups are cut into. */
    int slices;
    /* FREQUENCY: the tiles of this round, counted over all images. */
    int begin, end;
    /* [slots][slot_elements]: V, then M */
    float *scratch;
    float *v, *m;
};

/* Tiles begin … end-1 of image n; in V and M they begin at tile `at`. */
struct tiles {
    int n, begin, end, at;
};

/* Transforms the blocks of input channels that the kernel takes together, from `block` on. */
static void transform_input(const struct winograd_run *run, const struct tiles *tiles, int block,
                            float *v)
{
    const struct vgg_activation *in = run->in;
    run->kernels->winograd_input(&(struct vgg_winograd_input_args){
        .m = run->layout->m,
        .x =
            vgg_activation_get_floats(in, tiles->n, block) - in->pad * (in->row_stride + in->lanes),
        .x_block_stride = in->block_stride,
        .x_row_stride = in->row_stride,
        .rows = in->shape.h + 2 * in->pad,
        .columns = in->shape.w + 2 * in->pad,
        .tiles_w = run->layout->tiles_w,
        .tile_begin = tiles->begin,
        .tile_end = tiles->end,
        .block = block,
        .blocks = in->blocks,
        .v = v,
        .v_f_stride = (ptrdiff_t)run->layout->v_f_stride,
        .v_block_stride = (ptrdiff_t)run->layout->plane,
        .v_tile = tiles->at,
    });
}

/* Panels first … first+count-1 of the weights of some groups, counted by frequency, then by group. */
struct panels {
    /* The first panel, and the one that will be needed after the last. */
    const float *weight, *after;
    size_t stride;
    int groups, first, count;
};

static size_t count_panel_elements(const struct winograd_run *run)
{
    return run->step->conv.group_elements / (size_t)vgg_winograd_count_frequencies(run->step);
}

/* The panels of one group, of all frequencies. */
static struct panels get_group_panels(const struct winograd_run *run, int group)
{
    const size_t panel = count_panel_elements(run);
    return (struct panels){
        .weight = run->weight + (size_t)group * panel,
        .after = run->weight + (size_t)((group + 1) % run->groups) * panel,
        .stride = (size_t)run->groups * panel,
        .groups = 1,
        .count = vgg_winograd_count_frequencies(run->step),
    };
}

/* A slice of the panels of all groups, in the order in which they lie in memory. */
static struct panels get_slice_panels(const struct winograd_run *run, size_t slice)
{
    const size_t panel = count_panel_elements(run), slices = (size_t)run->slices;
    const size_t all = (size_t)run->groups * (size_t)vgg_winograd_count_frequencies(run->step);
    const size_t begin = all * slice / slices, end = all * (slice + 1) / slices;
    return (struct panels){
        .weight = run->weight + begin * panel,
        .after = run->weight + (end < all ? end * panel : 0),
        .stride = panel,
        .groups = run->groups,
        .first = (int)begin,
        .count = (int)(end - begin),
    };
}

/* Multiplies V of this many tiles by panels. M receives the products of the panels' groups. */
static void multiply(const struct winograd_run *run, const struct panels *panels, int tiles,
                     const float *v, float *m)
{
    run->kernels->gemm(&(struct vgg_gemm_args){
        .v = v,
        .v_f_stride = (ptrdiff_t)run->layout->v_f_stride,
        .v_block_stride = (ptrdiff_t)run->layout->plane,
        .ic_blocks = run->in->blocks,
        .weight = panels->weight,
        .weight_stride = (ptrdiff_t)panels->stride,
        .after = panels->after,
        .far = run->step->winograd_conv.algorithm == VGG_WINOGRAD_FREQUENCY,
        .groups = panels->groups,
        .first = panels->first,
        .panels = panels->count,
        .y = m,
        .y_f_stride = (ptrdiff_t)run->layout->m_f_stride,
        .y_group_stride = (ptrdiff_t)run->layout->plane * run->kernels->conv_blocks,
        .y_block_stride = (ptrdiff_t)run->layout->plane,
        .tiles = tiles,
    });
}

static void clear_padding(const struct winograd_run *run, int n, int block)
{
    const struct vgg_activation *out = run->out;
    vgg_activation_clear_padding(out, vgg_activation_get_floats(out, n, block), 0, out->shape.h);
}

/* Makes the outputs of one block of channels, whose products begin at m; the image's first tiles also clear the
 * padding. */
static void transform_output(const struct winograd_run *run, const struct tiles *tiles, int block,
                             const float *m)
{
    const struct vgg_activation *out = run->out;
    const int L = run->kernels->lanes;
    run->kernels->winograd_output(&(struct vgg_winograd_output_args){
        .m = run->layout->m,
        .m_data = m + (ptrdiff_t)tiles->at * L,
        .m_f_stride = (ptrdiff_t)run->layout->m_f_stride,
        .bias = run->step->conv.weights.bias + (ptrdiff_t)block * L,
        .y = vgg_activation_get_floats(out, tiles->n, block),
        .y_row_stride = out->row_stride,
        .oh = out->shape.h,
        .ow = out->shape.w,
        .tiles_w = run->layout->tiles_w,
        .tile_begin = tiles->begin,
        .tile_end = tiles->end,
        .relu = run->step->conv.relu,
        .pool = run->step->winograd_conv.pool,
    });
    if (tiles->begin == 0) {
        clear_padding(run, tiles->n, block);
    }
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* A block of tiles of one image, from input to output. */
static void compute_block(const struct winograd_run *run, size_t index, float *scratch)
{
    const struct vgg_winograd *layout = run->layout;
    const int conv_blocks = run->kernels->conv_blocks;
    const int block = (int)(index % (size_t)run->blocks);
    const int64_t all = (int64_t)layout->tiles_h * layout->tiles_w;
    const struct tiles tiles = {
        .n = (int)(index / (size_t)run->blocks),
        .begin = (int)(all * block / run->blocks),
        .end = (int)(all * (block + 1) / run->blocks),
    };
    float *v = scratch;
    float *m = v + (size_t)vgg_winograd_count_frequencies(run->step) * layout->v_f_stride;
    for (int b = 0; b < run->in->blocks; b += run->kernels->v_blocks) {
        transform_input(run, &tiles, b, v);
    }
    for (int g = 0; g < run->groups; g++) {
        const struct panels panels = get_group_panels(run, g);
        const int first = g * conv_blocks, blocks = min(conv_blocks, run->out->blocks - first);
        multiply(run, &panels, tiles.end - tiles.begin, v, m);
        for (int b = 0; b < blocks; b++) {
            transform_output(run, &tiles, first + b, m + b * (ptrdiff_t)layout->plane);
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

/* The tiles of this round that are of its image number `index`. */
static struct tiles get_round_tiles(const struct winograd_run *run, size_t index)
{
    const int all = run->layout->tiles_h * run->layout->tiles_w;
    struct tiles tiles = {.n = run->begin / all + (int)index};
    const int first = tiles.n * all;
    tiles.begin = run->begin > first ? run->begin - first : 0;
    tiles.end = min(run->end - first, all);
    tiles.at = first + tiles.begin - run->begin;
    return tiles;
}

static void frequency_input_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const int together = run->kernels->v_blocks;
    const size_t calls = (size_t)vgg_ceil_div(run->in->blocks, together);
    const struct tiles tiles = get_round_tiles(run, index / calls);
    transform_input(run, &tiles, (int)(index % calls) * together, run->v);
}

static void frequency_product_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const struct panels panels = get_slice_panels(run, index);
    multiply(run, &panels, run->end - run->begin, run->v, run->m);
}

/* Blocks of output channels in run->groups; M begins with the first of them. */
static int count_output_blocks(const struct winograd_run *run)
{
    const int group = run->kernels->conv_blocks;
    return min(run->groups * group, run->out->blocks - run->group_begin * group);
}

static void frequency_output_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const size_t blocks = (size_t)count_output_blocks(run), block = index % blocks;
    const struct tiles tiles = get_round_tiles(run, index / blocks);
    transform_output(run, &tiles, run->group_begin * run->kernels->conv_blocks + (int)block,
                     run->m + block * run->layout->plane);
}

/* The tiles run->begin … run->end-1: layout->groups groups of output channels at a time. */
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
                          VGG_TASKS_PER_THREAD * executor->plan->options.threads);
        if (first_round || layout->groups < step->cut.groups) {
            vgg_conv_prepack_groups(executor, step, first, run->groups);
        }
        vgg_pool_run(pool, (size_t)run->slices, frequency_product_task, run);
        vgg_pool_run(pool, images * (size_t)count_output_blocks(run), frequency_output_task, run);
    }
}

/* The tiles of all images, in rounds of about layout->block tiles. */
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
