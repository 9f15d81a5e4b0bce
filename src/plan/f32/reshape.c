/* SPDX-License-Identifier: MIT */
/* Steps that move pixels and compute nothing. */
#include "plan/f32/reshape.h"

#include <string.h>

#include "plan/f32/lanes.h"
#include "plan/task.h"

/* Columns begin … end-1 of an output row are those of the input from begin - left on. */
static void pad_row(const struct vgg_activation *out, float *to, const float *from, int begin,
                    int end)
{
    const size_t lanes = (size_t)out->lanes;
    memset(to, 0, (size_t)begin * lanes * sizeof *to);
    memcpy(to + (size_t)begin * lanes, from, (size_t)(end - begin) * lanes * sizeof *to);
    memset(to + (size_t)end * lanes, 0, (size_t)(out->shape.w - end) * lanes * sizeof *to);
}

static void zero_pad_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_margins pad = run->step->node->zero_pad;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const int begin = pad.left < 0 ? 0 : pad.left;
    const int last = pad.left + in->shape.w, end = last < out->shape.w ? last : out->shape.w;
    for (int h = task.begin; h < task.end; h++) {
        float *to = vgg_lanes_get_row(out, task.n, task.group, h);
        const int row = h - pad.top;
        if (row < 0 || row >= in->shape.h || end <= begin) {
            memset(to, 0, (size_t)out->shape.w * (size_t)out->lanes * sizeof *to);
        } else {
            const float *from = vgg_lanes_get_row(in, task.n, task.group, row);
            pad_row(out, to, from + (ptrdiff_t)(begin - pad.left) * in->lanes, begin, end);
        }
    }
    vgg_lanes_finish(out, task.n, task.group, task.begin, task.end);
}

void vgg_zero_pad_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    vgg_step_run_all(&run, executor->pool, zero_pad_task);
}

static void order_input_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const int first = task.group * out->lanes, left = in->shape.c - first;
    const int channels = left < out->lanes ? left : out->lanes;
    const float *x = run->input + task.n * in->n_stride + first * in->block_stride;
    for (int h = task.begin; h < task.end; h++) {
        float *to = vgg_lanes_get_row(out, task.n, task.group, h);
        for (int c = 0; c < channels; c++) {
            const float *from = x + c * in->block_stride + h * in->row_stride;
            for (int w = 0; w < in->shape.w; w++) {
                to[(ptrdiff_t)w * out->lanes + c] = from[w];
            }
        }
    }
    vgg_lanes_finish(out, task.n, task.group, task.begin, task.end);
}

void vgg_order_input_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    vgg_step_run_all(&run, executor->pool, order_input_task);
}
