/* SPDX-License-Identifier: MIT */
/* Pools in all their forms. CONCAT_POOL computes blocks of both kinds in scratch, and writes the means to the channels
 * behind the maxima, which need not begin with a block. */
#include "plan/f32/general_pool.h"

#include "plan/f32/lanes.h"
#include "plan/task.h"

static struct vgg_sides to_sides(struct vgg_pixels pixels)
{
    return (struct vgg_sides){pixels.h, pixels.w};
}

static void general_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_general_pool *pool = &run->step->node->general_pool;
    const struct vgg_window *window = &pool->window;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    run->plan->options.kernels->general_pool(&(struct vgg_general_pool_args){
        .x = vgg_lanes_get_row(in, task.n, task.group, 0),
        .x_row_stride = in->row_stride,
        .in = {in->shape.h, in->shape.w},
        .y = vgg_lanes_get_row(out, task.n, task.group, 0),
        .y_row_stride = out->row_stride,
        .kernel = to_sides(window->kernel),
        .stride = to_sides(window->stride),
        .dilation = to_sides(window->dilation),
        .before = {window->padding.top, window->padding.left},
        .after = {window->padding.bottom, window->padding.right},
        .average = pool->average,
        .count_padding = pool->count_include_pad,
        .oh_begin = task.begin,
        .oh_end = task.end,
        .ow = out->shape.w,
    });
    vgg_lanes_finish(out, task.n, task.group, task.begin, task.end);
}

void vgg_general_pool_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    vgg_step_run_all(&run, executor->pool, general_pool_task);
}

void vgg_adaptive_pool_partition(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    const size_t row = (size_t)out->shape.w * (size_t)out->lanes;
    step->cut.groups = in->blocks;
    if (step->kind == VGG_STEP_CONCAT_POOL) {
        step->scratch.slots = plan->options.threads;
        step->scratch.slot_elements = vgg_size_round_up(
            vgg_size_mul_capped((size_t)out->shape.h, row), VGG_ALIGN_BYTES / sizeof(float));
    }
}

static struct vgg_avg_pool_args make_args(const struct vgg_step_run *run, int image, int block)
{
    const struct vgg_activation *in = run->in, *out = run->out;
    return (struct vgg_avg_pool_args){
        .x = vgg_lanes_get_row(in, image, block, 0),
        .x_row_stride = in->row_stride,
        .ih = in->shape.h,
        .iw = in->shape.w,
        .oh = out->shape.h,
        .ow = out->shape.w,
    };
}

static void adaptive_max_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *out = run->out;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    struct vgg_avg_pool_args args = make_args(run, task.n, task.group);
    args.y = vgg_lanes_get_row(out, task.n, task.group, 0);
    args.y_row_stride = out->row_stride;
    run->plan->options.kernels->adaptive_max_pool(&args);
    vgg_lanes_finish(out, task.n, task.group, 0, out->shape.h);
}

static void concat_task(void *context, size_t index, int worker)
{
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const int first = task.group * in->lanes, left = in->shape.c - first;
    const int count = left < in->lanes ? left : in->lanes;
    float *rows = vgg_step_run_get_scratch(run, worker);
    struct vgg_avg_pool_args args = make_args(run, task.n, task.group);
    args.y = rows;
    args.y_row_stride = (ptrdiff_t)out->shape.w * out->lanes;
    for (int mean = 0; mean < 2; mean++) {
        const struct vgg_lanes to = {task.n, mean * in->shape.c + first, count};
        (mean ? run->plan->options.kernels->avg_pool
              : run->plan->options.kernels->adaptive_max_pool)(&args);
        for (int h = 0; h < out->shape.h; h++) {
            vgg_lanes_scatter(out, &to, h, rows + h * args.y_row_stride);
        }
    }
}

/* Blocks that several tasks have written. */
static void finish_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const size_t blocks = (size_t)run->out->blocks;
    vgg_lanes_finish(run->out, (int)(index / blocks), (int)(index % blocks), 0, run->out->shape.h);
}

void vgg_adaptive_pool_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    if (step->kind == VGG_STEP_ADAPTIVE_MAX_POOL) {
        vgg_step_run_all(&run, executor->pool, adaptive_max_task);
        return;
    }
    vgg_step_run_all(&run, executor->pool, concat_task);
    vgg_pool_run(executor->pool, (size_t)executor->count * (size_t)run.out->blocks, finish_task,
                 &run);
}
