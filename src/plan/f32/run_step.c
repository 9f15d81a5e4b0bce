/* SPDX-License-Identifier: MIT */
/* Running the steps of a float32 net: each is a loop of independent tasks on the pool. A task owns whole output pixels and
 * sums them in a fixed order, so the number of threads does not change a bit. */
#include "plan/f32/run_step.h"

#include <string.h>

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/f32/dense_linear.h"
#include "plan/f32/general.h"
#include "plan/f32/linear.h"
#include "plan/f32/prepack.h"
#include "plan/f32/winograd_conv.h"
#include "plan/task.h"

struct direct_run {
    struct vgg_step_run base;
    /* Prepacked. */
    const float *weight;
};

/* Computes the rows of a task for its group of output channels.
 *   x  the input of the task's first row, with padding */
static void convolve(const struct direct_run *run, const struct vgg_task *task, const float *x,
                     ptrdiff_t block_stride, ptrdiff_t row_stride)
{
    const struct vgg_step *step = run->base.step;
    const struct vgg_kernels *kernels = run->base.plan->options.kernels;
    const struct vgg_activation *in = run->base.in, *out = run->base.out;
    const bool nchw = in->lanes == 1 && kernels->lanes > 1;
    const int first = task->group * kernels->conv_blocks;
    const int left = out->blocks - first;
    float *y = vgg_activation_get_floats(out, task->n, first);
    struct vgg_conv_args args = {
        .x = x,
        .x_block_stride = block_stride,
        .x_row_stride = row_stride,
        .x_channel_stride = nchw ? block_stride : 1,
        .ic_blocks = nchw ? 1 : in->blocks,
        .ic_block = nchw ? in->shape.c : in->lanes,
        .kernel = step->direct_conv.kernel,
        .stride = step->direct_conv.stride,
        .weight = run->weight + (size_t)task->group * step->conv.group_elements,
        .bias = step->conv.weights.bias + (ptrdiff_t)first * kernels->lanes,
        .y = y + task->begin * out->row_stride,
        .y_block_stride = out->block_stride,
        .y_row_stride = out->row_stride,
        .oc_blocks = left < kernels->conv_blocks ? left : kernels->conv_blocks,
        .oh_begin = 0,
        .oh_end = task->end - task->begin,
        .ow = out->shape.w,
        .relu = step->conv.relu,
    };
    (nchw ? kernels->conv_nchw : kernels->conv_nchwc)(&args);
    for (int b = 0; b < args.oc_blocks; b++) {
        vgg_activation_clear_padding(out, y + b * out->block_stride, task->begin, task->end);
    }
}

static void conv_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct direct_run *run = context;
    const struct vgg_direct_conv_step *conv = &run->base.step->direct_conv;
    const struct vgg_activation *in = run->base.in;
    const struct vgg_task task = vgg_step_run_get_task(&run->base, index);
    const float *x =
        vgg_activation_get_floats(in, task.n, 0) - conv->padding * (in->row_stride + in->lanes);
    convolve(run, &task, x + (ptrdiff_t)task.begin * conv->stride * in->row_stride,
             in->block_stride, in->row_stride);
}

/* The net's input has no padding: a task copies the rows that it needs, adds padding, and computes all output channels. */
static void first_conv_task(void *context, size_t index, int worker)
{
    const struct direct_run *run = context;
    const struct vgg_step *step = run->base.step;
    const struct vgg_direct_conv_step *conv = &step->direct_conv;
    const struct vgg_activation *in = run->base.in;
    const size_t w = (size_t)in->shape.w;
    const size_t side = (size_t)conv->padding, row = w + 2 * side;
    struct vgg_task task = vgg_step_run_get_chunk(&run->base, index);
    const int top = task.begin * conv->stride - conv->padding;
    const int rows = (task.end - task.begin - 1) * conv->stride + conv->kernel;
    float *padded = run->base.scratch + (size_t)worker * step->scratch.slot_elements, *to = padded;
    for (int c = 0; c < in->shape.c; c++) {
        const float *plane = run->base.input + task.n * in->n_stride + c * in->block_stride;
        for (int i = top; i < top + rows; i++, to += row) {
            if (i < 0 || i >= in->shape.h) {
                memset(to, 0, row * sizeof *to);
                continue;
            }
            memset(to, 0, side * sizeof *to);
            memcpy(to + side, plane + i * in->row_stride, w * sizeof *to);
            memset(to + side + w, 0, side * sizeof *to);
        }
    }
    for (; task.group < step->cut.groups; task.group++) {
        convolve(run, &task, padded, rows * (ptrdiff_t)row, (ptrdiff_t)row);
    }
}

/* Clears the channels beyond the real ones in some rows of an image's last block. Their weights are zeros, but zero times
 * infinity, or zero over zero, is NaN, which would reach every channel of the next convolution. */
static void clear_unused_channels_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *out = run->out;
    const int used = out->shape.c % out->lanes;
    const struct vgg_task task = vgg_step_run_get_chunk(run, index);
    float *block = vgg_activation_get_floats(out, task.n, out->blocks - 1);
    for (int h = task.begin; h < task.end; h++) {
        float *p = block + h * out->row_stride + used;
        for (int w = 0; w < out->shape.w; w++, p += out->lanes) {
            memset(p, 0, (size_t)(out->lanes - used) * sizeof *p);
        }
    }
}

static void clear_unused_channels(struct vgg_step_run *run, struct vgg_pool *pool)
{
    if (run->out->shape.c % run->out->lanes != 0) {
        vgg_pool_run(pool, (size_t)run->count * (size_t)run->step->cut.chunks,
                     clear_unused_channels_task, run);
    }
}

static void lrn_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const struct vgg_lrn *lrn = &run->step->lrn;
    const struct vgg_lrn_args args = {
        .x = vgg_activation_get_floats(run->in, task.n, 0),
        .x_block_stride = run->in->block_stride,
        .x_row_stride = run->in->row_stride,
        .blocks = run->in->blocks,
        .block = task.group,
        .y = vgg_activation_get_floats(run->out, task.n, task.group),
        .y_row_stride = run->out->row_stride,
        .h_begin = task.begin,
        .h_end = task.end,
        .w = run->out->shape.w,
        .size = lrn->size,
        .alpha = (float)lrn->alpha,
        .beta = (float)lrn->beta,
        .k = (float)lrn->k,
    };
    run->plan->options.kernels->lrn(&args);
    vgg_activation_clear_padding(run->out, args.y, task.begin, task.end);
}

static void max_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const struct vgg_max_pool *pool = &run->step->max_pool;
    struct vgg_max_pool_args args = {
        .x = vgg_activation_get_floats(run->in, task.n, task.group),
        .x_row_stride = run->in->row_stride,
        .y = vgg_activation_get_floats(run->out, task.n, task.group),
        .y_row_stride = run->out->row_stride,
        .kernel = pool->kernel,
        .stride = pool->stride,
        .oh_begin = task.begin,
        .oh_end = task.end,
        .ow = run->out->shape.w,
    };
    run->plan->options.kernels->max_pool(&args);
    vgg_activation_clear_padding(run->out, args.y, task.begin, task.end);
}

static void avg_pool_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    struct vgg_avg_pool_args args = {
        .x = vgg_activation_get_floats(run->in, task.n, task.group),
        .x_row_stride = run->in->row_stride,
        .ih = run->in->shape.h,
        .iw = run->in->shape.w,
        .y = vgg_activation_get_floats(run->out, task.n, task.group),
        .y_row_stride = run->out->row_stride,
        .oh = run->out->shape.h,
        .ow = run->out->shape.w,
    };
    run->plan->options.kernels->avg_pool(&args);
    vgg_activation_clear_padding(run->out, args.y, task.begin, task.end);
}

/* BatchNorm or ReLU as a step of its own. Features are treated as one row of pixels of L channels, or as blocks of one
 * pixel, because their buffers are whole vectors long. */
static void pointwise_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_kernels *kernels = run->plan->options.kernels;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const bool features = run->out->lanes == 1;
    const int block = features ? 0 : task.group;
    const ptrdiff_t skipped = features ? (ptrdiff_t)task.group * kernels->lanes : 0;
    struct vgg_pointwise_args args = {
        .x = vgg_activation_get_floats(run->in, task.n, block) + skipped,
        .x_row_stride = run->in->row_stride,
        .y = vgg_activation_get_floats(run->out, task.n, block) + skipped,
        .y_row_stride = run->out->row_stride,
        .h = features ? 1 : run->out->shape.h,
        .w = features ? vgg_ceil_div(run->out->shape.c, kernels->lanes) / run->step->cut.groups
                      : run->out->shape.w,
    };
    if (run->step->kind == VGG_STEP_RELU) {
        kernels->relu(&args);
    } else {
        args.scale = run->step->scale_shift.scale + (ptrdiff_t)task.group * kernels->lanes;
        args.shift = run->step->scale_shift.shift + (ptrdiff_t)task.group * kernels->lanes;
        kernels->scale_shift(&args);
    }
    if (!features) {
        vgg_activation_clear_padding(run->out, args.y, task.begin, task.end);
    }
}

static void flatten_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    vgg_activation_to_nchw(run->in, task.n, vgg_activation_get_floats(run->out, task.n, 0));
}

static void run_direct_conv(struct vgg_executor *executor, const struct vgg_step_run *base)
{
    const struct vgg_step *step = base->step;
    struct direct_run run = {.base = *base};
    vgg_conv_prepack_groups(executor, step, 0, step->cut.groups);
    run.weight = vgg_conv_get_weights(executor, step);
    if (step->in == 0) {
        vgg_pool_run(executor->pool, (size_t)base->count * (size_t)step->cut.chunks,
                     first_conv_task, &run);
    } else {
        vgg_pool_run(executor->pool, vgg_step_run_count_tasks(base), conv_task, &run);
    }
}

static void run_linear(struct vgg_executor *executor, const struct vgg_step_run *run)
{
    struct vgg_linear_args layer = {.x = run->in->data,
                                    .x_stride = run->in->n_stride,
                                    .y = run->out->data,
                                    .y_stride = run->out->n_stride,
                                    .n = run->count};
    vgg_linear_run(executor, run->step, &layer, run->scratch);
}

void vgg_f32_run_step(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    struct vgg_pool *pool = executor->pool;
    const size_t tasks = vgg_step_run_count_tasks(&run);
    switch (step->kind) {
    case VGG_STEP_DIRECT_CONV:
        run_direct_conv(executor, &run);
        clear_unused_channels(&run, pool);
        break;
    case VGG_STEP_WINOGRAD_CONV:
        vgg_winograd_run(executor, step);
        clear_unused_channels(&run, pool);
        break;
    case VGG_STEP_LRN:
        vgg_pool_run(pool, tasks, lrn_task, &run);
        clear_unused_channels(&run, pool);
        break;
    case VGG_STEP_SCALE_SHIFT:
    case VGG_STEP_RELU:
        vgg_pool_run(pool, tasks, pointwise_task, &run);
        break;
    case VGG_STEP_MAX_POOL:
        vgg_pool_run(pool, tasks, max_pool_task, &run);
        break;
    case VGG_STEP_AVG_POOL:
        vgg_pool_run(pool, tasks, avg_pool_task, &run);
        break;
    case VGG_STEP_FLATTEN:
        vgg_pool_run(pool, tasks, flatten_task, &run);
        break;
    case VGG_STEP_LINEAR:
        run_linear(executor, &run);
        break;
    case VGG_STEP_DENSE:
        vgg_dense_run(executor, step);
        break;
    default:
        vgg_general_run(executor, step);
        break;
    }
}
