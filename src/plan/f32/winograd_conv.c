/* Winograd convolution as a step: input transform, products, output transform.
 *
 *   TILES      a task takes a block of tiles through all three while it stays in the second-level cache:
 *                  for each input block: V[f][ic][t];  for each group: M[f][2][t], then its outputs
 *              Weights are read once a block of tiles.
 *   FREQUENCY  three loops over many tiles, of several pictures where there are; products frequency by
 *              frequency:
 *                  V[f][ic][t] for all t;  M[f][oc][t];  outputs
 *              Weights are read in order, each panel fetched ahead, once for so many tiles as the shared
 *              cache holds well. In a one-shot plan products and outputs are made for some groups after
 *              the others, so that the memory for their weights is small.
 *
 * Both read weights packed [f][group][ic][G], of which a panel is [ic][G]: so packed files can hold them
 * before anybody knows how many threads and pictures there will be.
 *
 * V and M have an odd number of cache lines from frequency to frequency, so that the stores of one tile
 * do not fall into the same set of the first-level cache. */
#include "plan/f32/winograd_conv.h"

#include <stdatomic.h>

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/f32/prepack.h"
#include "plan/f32/winograd_weights.h"

struct winograd_run {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    const struct vgg_activation *in, *out;
    int count;               /* pictures */
    int blocks;              /* of tiles in a picture, for TILES */
    atomic_size_t next;      /* of the blocks of all pictures, for TILES */
    int group_begin, groups; /* of output channels, whose weights are there */
    int slices;              /* of their panels, for FREQUENCY */
    int begin, end;          /* tiles of all pictures, those of this round of FREQUENCY */
    float *v, *m;
};

/* Tiles begin … end-1 of picture n, the blocks of input channels that are transformed together from `block`
 * on; v_tile is the number of tile `begin` in V. */
static void transform_input(const struct winograd_run *run, int n, int block, int begin, int end,
                            float *v, int v_tile)
{
    const struct vgg_activation *in = run->in;
    run->plan->kernels->winograd_input(&(struct vgg_winograd_input_args){
        .m = run->step->conv.m,
        .x = in->data + n * in->n_stride + block * in->block_stride -
             in->pad * (in->row_stride + in->lanes),
        .x_block_stride = in->block_stride,
        .x_row_stride = in->row_stride,
        .rows = in->shape.h + 2 * in->pad,
        .columns = in->shape.w + 2 * in->pad,
        .tiles_w = run->step->conv.tiles_w,
        .tile_begin = begin,
        .tile_end = end,
        .block = block,
        .blocks = in->blocks,
        .v = v,
        .v_f_stride = (ptrdiff_t)run->step->conv.v_f_stride,
        .v_block_stride = (ptrdiff_t)run->step->conv.plane,
        .v_tile = v_tile,
    });
}

/* Panels first … first+panels-1 of the weights with V, those of all groups or of one, whose products then
 * go to m. */
static void multiply(const struct winograd_run *run, size_t group, bool alone, int first,
                     int panels, int tiles, const float *v, float *m)
{
    const struct vgg_step *step = run->step;
    const struct vgg_kernels *kernels = run->plan->kernels;
    const size_t f_count = (size_t)vgg_winograd_count_frequencies(step),
                 groups = (size_t)run->groups;
    const size_t panel = step->group_elements / f_count;
    const float *weight = vgg_conv_get_weights(step), *end = weight + groups * step->group_elements;
    const size_t stride = alone ? groups * panel : panel;
    const float *begin = weight + group * panel + (size_t)first * stride;
    const float *after =
        alone ? weight + (group + 1) % groups * panel : begin + (size_t)panels * panel;
    kernels->gemm(&(struct vgg_gemm_args){
        .v = v,
        .v_f_stride = (ptrdiff_t)step->conv.v_f_stride,
        .v_block_stride = (ptrdiff_t)step->conv.plane,
        .ic_blocks = run->in->blocks,
        .weight = begin,
        .weight_stride = (ptrdiff_t)stride,
        .after = after < end ? after : weight,
        .far = step->conv.algorithm == VGG_WINOGRAD_FREQUENCY,
        .groups = alone ? 1 : run->groups,
        .first = first,
        .panels = panels,
        .y = m,
        .y_f_stride = (ptrdiff_t)step->conv.m_f_stride,
        .y_group_stride = (ptrdiff_t)step->conv.plane * kernels->conv_blocks,
        .y_block_stride = (ptrdiff_t)step->conv.plane,
        .tiles = tiles,
    });
}

/* The same tiles of one block of output channels. */
static void transform_output(const struct winograd_run *run, int n, int block, int begin, int end,
                             const float *m)
{
    const struct vgg_activation *out = run->out;
    run->plan->kernels->winograd_output(&(struct vgg_winograd_output_args){
        .m = run->step->conv.m,
        .m_data = m,
        .m_f_stride = (ptrdiff_t)run->step->conv.m_f_stride,
        .bias = run->step->bias + (ptrdiff_t)block * run->plan->kernels->lanes,
        .y = out->data + n * out->n_stride + block * out->block_stride,
        .y_row_stride = out->row_stride,
        .oh = out->shape.h,
        .ow = out->shape.w,
        .tiles_w = run->step->conv.tiles_w,
        .tile_begin = begin,
        .tile_end = end,
        .relu = run->step->relu,
        .pool = run->step->pool != NULL,
    });
}

static void clear_frame(const struct winograd_run *run, int n, int block)
{
    const struct vgg_activation *out = run->out;
    vgg_activation_clear_frame(out, out->data + n * out->n_stride + block * out->block_stride, 0,
                               out->shape.h);
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* A block of tiles of one picture, from input to output. */
static void compute_block(const struct winograd_run *run, size_t index, float *scratch)
{
    const struct vgg_step *step = run->step;
    const struct vgg_kernels *kernels = run->plan->kernels;
    const int in_blocks = run->in->blocks;
    const int n = (int)(index / (size_t)run->blocks), block = (int)(index % (size_t)run->blocks);
    const int tiles = step->conv.tiles_h * step->conv.tiles_w;
    const int begin = (int)((int64_t)tiles * block / run->blocks);
    const int end = (int)((int64_t)tiles * (block + 1) / run->blocks);
    const ptrdiff_t plane = (ptrdiff_t)step->conv.plane;
    float *v = scratch,
          *m = v + (size_t)vgg_winograd_count_frequencies(step) * step->conv.v_f_stride;

    for (int b = 0; b < in_blocks; b += kernels->v_blocks) {
        transform_input(run, n, b, begin, end, v, 0);
    }
    for (int g = 0; g < step->groups; g++) {
        multiply(run, (size_t)g, true, 0, vgg_winograd_count_frequencies(step), end - begin, v, m);
        const int first = g * kernels->conv_blocks;
        for (int b = 0; b < min(kernels->conv_blocks, run->out->blocks - first); b++) {
            transform_output(run, n, first + b, begin, end, m + b * plane);
            if (block == 0) {
                clear_frame(run, n, first + b);
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
    float *scratch = run->step->scratch + slot * run->step->conv.slot_elements;
    for (size_t i; (i = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed)) < blocks;) {
        compute_block(run, i, scratch);
    }
}

/* A picture's part of this round's tiles. */
struct part {
    int n, begin, end; /* tiles of the picture */
    int at;            /* the first one's number in the round */
};

static struct part part_of(const struct winograd_run *run, size_t index)
{
    const int tiles = run->step->conv.tiles_h * run->step->conv.tiles_w;
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
    const int together = run->plan->kernels->v_blocks;
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
    const int group = run->plan->kernels->conv_blocks;
    return min(run->groups * group, run->out->blocks - run->group_begin * group);
}

static void frequency_output_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct winograd_run *run = context;
    const struct vgg_conv_choice *conv = &run->step->conv;
    const struct part part = part_of(run, index / (size_t)output_blocks(run));
    const int block = (int)(index % (size_t)output_blocks(run)), L = run->plan->kernels->lanes;
    const int channel = run->group_begin * run->plan->kernels->conv_blocks + block;
    transform_output(run, part.n, channel, part.begin, part.end,
                     run->m + block * (ptrdiff_t)conv->plane + (ptrdiff_t)part.at * L);
    if (part.begin == 0) {
        clear_frame(run, part.n, channel);
    }
}

/* The tiles of all pictures, a round of some of them after the other; and in a round all groups, or some of
 * them after the others. */
static void run_frequencies(struct winograd_run *run, struct vgg_step *step, struct vgg_pool *pool)
{
    const struct vgg_conv_choice *conv = &step->conv;
    const int tiles = conv->tiles_h * conv->tiles_w, all = run->count * tiles;
    const int rounds = vgg_ceil_div(all, conv->block);
    const size_t calls = (size_t)vgg_ceil_div(run->in->blocks, run->plan->kernels->v_blocks);
    for (int i = 0; i < rounds; i++) {
        run->begin = (int)((int64_t)all * i / rounds);
        run->end = (int)((int64_t)all * (i + 1) / rounds);
        const size_t pictures = (size_t)((run->end - 1) / tiles - run->begin / tiles + 1);
        vgg_pool_run(pool, pictures * calls, frequency_input_task, run);
        for (int first = 0; first < step->groups; first += conv->groups) {
            run->group_begin = first;
            run->groups = min(conv->groups, step->groups - first);
            run->slices =
                min(run->groups * vgg_winograd_count_frequencies(step), 4 * run->plan->threads);
            if (run->plan->one_shot && (i == 0 || conv->groups < step->groups)) {
                vgg_step_prepare(run->plan, step, pool, first, run->groups);
            }
            vgg_pool_run(pool, (size_t)run->slices, frequency_product_task, run);
            vgg_pool_run(pool, pictures * (size_t)output_blocks(run), frequency_output_task, run);
        }
    }
}

void vgg_winograd_run(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                      int count)
{
    const struct vgg_conv_choice *conv = &step->conv;
    struct winograd_run run = {
        .plan = plan,
        .step = step,
        .in = &plan->activations[step->in],
        .out = &plan->activations[step->out],
        .count = count,
        .v = step->scratch,
        .m = step->scratch + (size_t)vgg_winograd_count_frequencies(step) * conv->v_f_stride,
    };
    if (conv->algorithm == VGG_WINOGRAD_TILES) {
        if (plan->one_shot) {
            vgg_step_prepare(plan, step, pool, 0, step->groups);
        }
        run.groups = step->groups;
        run.blocks = vgg_ceil_div(conv->tiles_h * conv->tiles_w, conv->block);
        vgg_pool_run(pool, (size_t)conv->slots, tiles_task, &run);
        return;
    }
    run_frequencies(&run, step, pool);
}
