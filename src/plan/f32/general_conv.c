/* SPDX-License-Identifier: MIT */
/* Convolutions in all their forms. The output channels of each group are cut into parts as wide as a kernel call, and
 * each part of some rows is a task. Weights are prepacked
 *     [part][input channels in a block][kh][kw][channel of the block][width]        see kernels/general_kernels.h
 *
 * In a depthwise convolution each group has one input channel, so that the lanes of an output block read lanes of the
 * input; where a group has several output channels, their input is first copied to as many lanes. Otherwise the
 * channels of a group are one part or more. Where groups do not begin with a block of output channels, a part is
 * computed in scratch, row by row, and written to its lanes. */
#include "plan/f32/general_conv.h"

#include <stdio.h>
#include <string.h>

#include "base/arith.h"
#include "base/clock.h"
#include "model/graph/norm.h"
#include "plan/f32/lanes.h"
#include "plan/task.h"

enum {
    /* Input rows of a task: with its weights, half of a second-level cache of 2 MiB. */
    INPUT_ROWS_BYTES = 768 * 1024,

    /* More than any ISA's group of output channels. */
    MAX_WIDTH = 64,
};

/* How the channels are cut. */
struct cut {
    bool depthwise;
    /* Whether parts are whole blocks of the output. */
    bool aligned;
    /* Input and output channels of a group, and its parts. A depthwise convolution has groups that are parts. */
    int ic, oc, parts;
    /* Output channels of a part, rounded up; their weights. */
    int width;
    size_t area, part_elements;
};

static struct cut cut_channels(const struct vgg_kernels *kernels, const struct vgg_node *node)
{
    const struct vgg_general_conv *conv = &node->general_conv;
    const int lanes = kernels->lanes, ic = conv->ic / conv->groups, oc = conv->oc / conv->groups;
    struct cut cut = {
        .depthwise = conv->groups > 1 && ic == 1 && oc < lanes,
        .aligned = conv->groups == 1 || oc % lanes == 0,
        .ic = ic,
        .oc = oc,
        .width = kernels->conv_blocks * lanes,
        .area = (size_t)conv->window.kernel.h * (size_t)conv->window.kernel.w,
    };
    if (cut.depthwise) {
        cut.aligned = true;
        cut.width = lanes;
    }
    cut.parts = vgg_ceil_div(cut.depthwise ? conv->oc : oc, cut.width);
    cut.part_elements =
        vgg_size_mul_capped(vgg_size_mul_capped(cut.area, (size_t)ic), (size_t)cut.width);
    return cut;
}

/* A part's output channels: those of conv from `oc` on. */
struct part {
    int group, oc, count;
};

static struct part get_part(const struct cut *cut, const struct vgg_general_conv *conv, int index)
{
    const int group = cut->depthwise ? 0 : index / cut->parts;
    const int within = (index - group * cut->parts) * cut->width;
    const int left = (cut->depthwise ? conv->oc : cut->oc) - within;
    return (struct part){group, group * cut->oc + within, left < cut->width ? left : cut->width};
}

static size_t get_row_pixels(const struct vgg_general_conv *conv, int ow)
{
    const struct vgg_window *w = &conv->window;
    return ((size_t)ow - 1) * (size_t)w->stride.w +
           (size_t)(w->kernel.w - 1) * (size_t)w->dilation.w + 1;
}

/* A depthwise part that has its own lanes of the input needs the rows of a window; one that is written to lanes needs
 * a row of output. */
static void size_scratch(const struct vgg_plan *plan, struct vgg_step *step, const struct cut *cut)
{
    const struct vgg_general_conv *conv = &step->node->general_conv;
    const int ow = plan->activations[step->out].shape.w;
    size_t elements = 0;
    if (cut->depthwise && cut->oc > 1) {
        elements = vgg_size_mul_capped(get_row_pixels(conv, ow),
                                       (size_t)conv->window.kernel.h * (size_t)cut->width);
    } else if (!cut->aligned) {
        elements = vgg_size_mul_capped((size_t)ow, (size_t)cut->width);
    }
    step->scratch.slots = elements > 0 ? plan->options.threads : 0;
    step->scratch.slot_elements = vgg_size_round_up(elements, VGG_ALIGN_BYTES / sizeof(float));
}

void vgg_general_conv_partition(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_general_conv *conv = &step->node->general_conv;
    const struct cut cut = cut_channels(plan->options.kernels, step->node);
    const struct vgg_activation *in = &plan->activations[step->in];
    const int h = plan->activations[step->out].shape.h;
    const size_t in_blocks = (size_t)vgg_ceil_div(cut.ic, in->lanes);
    const size_t row_bytes = (size_t)in->row_stride * in_blocks * sizeof(float);
    const size_t fitting = INPUT_ROWS_BYTES / row_bytes / (size_t)conv->window.stride.h;
    const int rows = fitting < 1 ? 1 : fitting < (size_t)h ? (int)fitting : h;
    step->cut.groups = cut.depthwise ? cut.parts : conv->groups * cut.parts;
    step->cut.chunks = vgg_cut_rows(plan, h, vgg_ceil_div(h, rows), step->cut.groups);
    step->cut.groups_first =
        cut.part_elements * sizeof(float) > row_bytes * (size_t)(in->shape.h + 2 * in->pad);
    size_scratch(plan, step, &cut);
}

void vgg_general_conv_size_weights(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct cut cut = cut_channels(plan->options.kernels, step->node);
    struct vgg_general_conv_step *conv = &step->general_conv;
    conv->group_elements = cut.part_elements;
    conv->weights.elements = vgg_size_mul_capped((size_t)step->cut.groups, conv->group_elements);
    conv->weights.rows_elements = vgg_size_mul_capped(cut.area, (size_t)cut.ic);
}

/* --- weights ---------------------------------------------------------------------------------- */

struct prepack_run {
    const struct vgg_prepack_job *job;
    struct cut cut;
};

/* Puts the filter [ic][area] of one output channel into its lane.
 *   first  the lane of the group's first input channel */
static void order_filter(const struct cut *cut, int first, int lanes, const float *filter,
                         float *to)
{
    const size_t width = (size_t)cut->width;
    int count;
    for (int c = 0; c < cut->ic; c += count) {
        const int left = cut->ic - c, free_lanes = lanes - (first + c) % lanes;
        count = left < free_lanes ? left : free_lanes;
        for (size_t k = 0; k < cut->area; k++) {
            for (int i = 0; i < count; i++, to += width) {
                *to = filter[(size_t)(c + i) * cut->area + k];
            }
        }
    }
}

static void prepack_task(void *context, size_t index, int worker)
{
    const struct prepack_run *run = context;
    const struct vgg_prepack_job *job = run->job;
    const struct cut *cut = &run->cut;
    const struct vgg_general_conv *conv = &job->step->node->general_conv;
    const struct vgg_folded_weights *weights = &job->step->weights;
    const struct part part = get_part(cut, conv, job->group_begin + (int)index);
    const int lanes = job->plan->options.kernels->lanes;
    const size_t count = (size_t)cut->ic * cut->area;
    float *row = job->rows + (size_t)worker * weights->rows_elements;
    float *to = job->weight + index * cut->part_elements;
    for (int lane = 0; lane < cut->width; lane++) {
        if (lane < part.count) {
            const int64_t first = (int64_t)(part.oc + lane) * (int64_t)count;
            vgg_tensor_read_range(conv->weight, first, (int64_t)count, row);
        } else {
            memset(row, 0, count * sizeof *row);
        }
        if (weights->norm_scale != NULL && lane < part.count) {
            vgg_fold_weights(row, count, weights->norm_scale[part.oc + lane]);
        }
        order_filter(cut, cut->depthwise ? 0 : part.group * cut->ic % lanes, lanes, row, to + lane);
    }
}

void vgg_general_conv_prepack(const struct vgg_prepack_job *job, struct vgg_pool *pool)
{
    struct prepack_run run = {job, cut_channels(job->plan->options.kernels, job->step->node)};
    vgg_pool_run(pool, (size_t)job->groups, prepack_task, &run);
}

/* The weights of all parts; a one-shot plan prepacks them now. */
static const float *get_weights(struct vgg_executor *executor, const struct vgg_step *step)
{
    const struct vgg_plan *plan = executor->plan;
    struct vgg_step_state *state = vgg_executor_get_state(executor, step);
    if (!plan->options.one_shot) {
        return step->weights.data;
    }
    const uint64_t start = vgg_now_ns();
    vgg_general_conv_prepack(&(struct vgg_prepack_job){.plan = plan,
                                                       .step = step,
                                                       .groups = step->cut.groups,
                                                       .weight = state->weight,
                                                       .rows = state->rows},
                             executor->pool);
    state->prepack_ns += vgg_now_ns() - start;
    return state->weight;
}

/* --- running ---------------------------------------------------------------------------------- */

struct conv_run {
    struct vgg_step_run step_run;
    struct cut cut;
    const float *weight;
};

/* A task: a part and its rows; its bias, with zeros for the channels past the last one. */
struct conv_task {
    struct vgg_task rows;
    struct part part;
    float bias[MAX_WIDTH];
};

static struct conv_task get_task(const struct conv_run *run, size_t index)
{
    const struct vgg_step *step = run->step_run.step;
    struct conv_task task = {.rows = vgg_step_run_get_task(&run->step_run, index)};
    task.part = get_part(&run->cut, &step->node->general_conv, task.rows.group);
    memcpy(task.bias, step->weights.bias + task.part.oc,
           (size_t)task.part.count * sizeof *task.bias);
    return task;
}

static struct vgg_sides to_sides(struct vgg_pixels pixels)
{
    return (struct vgg_sides){pixels.h, pixels.w};
}

/* The corner of the window of output (0, 0) in a block of the input. */
static const float *get_corner(const struct conv_run *run, int image, int block)
{
    const struct vgg_activation *in = run->step_run.in;
    const struct vgg_margins pad = run->step_run.step->node->general_conv.window.padding;
    return vgg_lanes_get_row(in, image, block, -pad.top) - (ptrdiff_t)pad.left * in->lanes;
}

/* What all calls have in common, but for input and output. */
static struct vgg_general_conv_args make_args(const struct conv_run *run,
                                              const struct conv_task *task)
{
    const struct vgg_step *step = run->step_run.step;
    const struct vgg_window *window = &step->node->general_conv.window;
    return (struct vgg_general_conv_args){
        .x_block_stride = run->step_run.in->block_stride,
        .x_row_stride = run->step_run.in->row_stride,
        .channels = run->cut.ic,
        .kernel = to_sides(window->kernel),
        .stride = to_sides(window->stride),
        .dilation = to_sides(window->dilation),
        .weight = run->weight + (size_t)task->rows.group * run->cut.part_elements,
        .bias = task->bias,
        .oc_blocks = vgg_ceil_div(task->part.count, run->step_run.plan->options.kernels->lanes),
        .oh_begin = task->rows.begin,
        .oh_end = task->rows.end,
        .ow = run->step_run.out->shape.w,
        .relu = step->general_conv.relu,
    };
}

/* Parts that are whole blocks of the output. */
static void aligned_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct conv_run *run = context;
    const struct conv_task task = get_task(run, index);
    const struct vgg_activation *in = run->step_run.in, *out = run->step_run.out;
    const struct vgg_kernels *kernels = run->step_run.plan->options.kernels;
    const int block = task.part.oc / out->lanes;
    const int ic = run->cut.depthwise ? task.part.oc : task.part.group * run->cut.ic;
    struct vgg_general_conv_args args = make_args(run, &task);
    args.x = get_corner(run, task.rows.n, ic / in->lanes);
    args.first = ic % in->lanes;
    args.y = vgg_lanes_get_row(out, task.rows.n, block, 0);
    args.y_block_stride = out->block_stride;
    args.y_row_stride = out->row_stride;
    (run->cut.depthwise ? kernels->depthwise_conv : kernels->general_conv)(&args);
    for (int b = 0; b < args.oc_blocks; b++) {
        vgg_lanes_finish(out, task.rows.n, block + b, task.rows.begin, task.rows.end);
    }
}

/* Parts that are lanes of the output. */
static void scattered_task(void *context, size_t index, int worker)
{
    const struct conv_run *run = context;
    const struct conv_task task = get_task(run, index);
    const struct vgg_activation *in = run->step_run.in, *out = run->step_run.out;
    const int lanes = out->lanes, ic = task.part.group * run->cut.ic;
    const float *x = get_corner(run, task.rows.n, ic / lanes);
    const ptrdiff_t row_step = run->step_run.step->node->general_conv.window.stride.h;
    float *row = vgg_step_run_get_scratch(&run->step_run, worker);
    struct vgg_general_conv_args args = make_args(run, &task);
    args.first = ic % lanes;
    args.y = row;
    args.y_block_stride = (ptrdiff_t)out->shape.w * lanes;
    args.oh_begin = 0;
    args.oh_end = 1;
    for (int h = task.rows.begin; h < task.rows.end; h++) {
        args.x = x + h * row_step * in->row_stride;
        run->step_run.plan->options.kernels->general_conv(&args);
        for (int c = 0; c < task.part.count; c += lanes) {
            const int left = task.part.count - c;
            const struct vgg_lanes to = {task.rows.n, task.part.oc + c,
                                         left < lanes ? left : lanes};
            vgg_lanes_scatter(out, &to, h, row + c / lanes * args.y_block_stride);
        }
    }
}

/* Copies the input of a depthwise part's windows of one output row, a lane for each output channel: [kh][pixels][L]. */
static void spread_rows(const struct conv_run *run, const struct conv_task *task, int oh,
                        size_t pixels, float *to)
{
    const struct vgg_activation *in = run->step_run.in;
    const struct vgg_window *window = &run->step_run.step->node->general_conv.window;
    const size_t lanes = (size_t)in->lanes;
    for (int kh = 0; kh < window->kernel.h; kh++) {
        const ptrdiff_t row = (ptrdiff_t)oh * window->stride.h + (ptrdiff_t)kh * window->dilation.h;
        for (int lane = 0; lane < in->lanes; lane++) {
            /* Lanes past the last channel have the last one's input; they are cleared in the end. */
            const int last = task->part.count - 1;
            const int c = (task->part.oc + (lane < last ? lane : last)) / run->cut.oc;
            const float *x =
                get_corner(run, task->rows.n, c / in->lanes) + row * in->row_stride + c % in->lanes;
            for (size_t i = 0; i < pixels; i++) {
                to[i * lanes + (size_t)lane] = x[i * lanes];
            }
        }
        to += pixels * lanes;
    }
}

/* Depthwise parts of groups that have several output channels. */
static void spread_task(void *context, size_t index, int worker)
{
    const struct conv_run *run = context;
    const struct conv_task task = get_task(run, index);
    const struct vgg_activation *out = run->step_run.out;
    const int block = task.part.oc / out->lanes;
    const size_t pixels = get_row_pixels(&run->step_run.step->node->general_conv, out->shape.w);
    float *rows = vgg_step_run_get_scratch(&run->step_run, worker);
    struct vgg_general_conv_args args = make_args(run, &task);
    args.x = rows;
    args.x_row_stride = (ptrdiff_t)pixels * out->lanes;
    args.dilation.h = 1;
    args.oh_begin = 0;
    args.oh_end = 1;
    for (int h = task.rows.begin; h < task.rows.end; h++) {
        spread_rows(run, &task, h, pixels, rows);
        args.y = vgg_lanes_get_row(out, task.rows.n, block, h);
        run->step_run.plan->options.kernels->depthwise_conv(&args);
    }
    vgg_lanes_finish(out, task.rows.n, block, task.rows.begin, task.rows.end);
}

/* A block that several tasks have written. */
static void finish_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct conv_run *run = context;
    const struct vgg_activation *out = run->step_run.out;
    const size_t blocks = (size_t)out->blocks;
    vgg_lanes_finish(out, (int)(index / blocks), (int)(index % blocks), 0, out->shape.h);
}

void vgg_general_conv_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct conv_run run = {
        .step_run = vgg_step_run_make(executor, step),
        .cut = cut_channels(executor->plan->options.kernels, step->node),
        .weight = get_weights(executor, step),
    };
    const size_t tasks =
        (size_t)executor->count * (size_t)step->cut.groups * (size_t)step->cut.chunks;
    const bool spread = run.cut.depthwise && run.cut.oc > 1;
    vgg_pool_run(executor->pool, tasks,
                 spread            ? spread_task
                 : run.cut.aligned ? aligned_task
                                   : scattered_task,
                 &run);
    if (!run.cut.aligned) {
        vgg_pool_run(executor->pool, (size_t)executor->count * (size_t)run.step_run.out->blocks,
                     finish_task, &run);
    }
}

void vgg_general_conv_describe(const struct vgg_plan *plan, const struct vgg_step *step,
                               char *algorithm, size_t bytes, struct vgg_step_info *info)
{
    const struct vgg_general_conv *conv = &step->node->general_conv;
    const struct cut cut = cut_channels(plan->options.kernels, step->node);
    const struct vgg_activation *out = &plan->activations[step->out];
    const double pixels = (double)plan->options.batch * out->shape.h * out->shape.w;
    snprintf(algorithm, bytes, "%s", cut.depthwise ? "depthwise" : "general");
    info->multiply_adds = pixels * conv->oc * cut.ic * (double)cut.area;
    info->products = pixels * step->cut.groups * (double)cut.part_elements;
    info->weight_bytes = step->weights.elements * sizeof(float);
    info->prepacked_bytes = plan->options.one_shot ? 0 : info->weight_bytes;
}
