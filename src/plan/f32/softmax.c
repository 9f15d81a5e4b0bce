/* SPDX-License-Identifier: MIT */
/* Softmax and its logarithm, over the channels of each pixel or over features:
 *     e^(x - max) / Σ e^(x - max)     and     x - max - ln Σ e^(x - max)
 * The sum is in double precision. As in PyTorch a NaN makes all channels NaN. */
#include "plan/f32/softmax.h"

#include <math.h>

#include "plan/f32/lanes.h"
#include "plan/task.h"

/* The channels of a pixel, or features: a channel's offset from the first one. */
static ptrdiff_t find_channel(const struct vgg_activation *a, int c)
{
    return c / a->lanes * a->block_stride + c % a->lanes;
}

static float find_max(const struct vgg_activation *a, const float *x)
{
    float max = -INFINITY;
    for (int c = 0; c < a->shape.c && !isnan(max); c++) {
        const float value = x[find_channel(a, c)];
        max = value > max || isnan(value) ? value : max;
    }
    return max;
}

static void compute_pixel(const struct vgg_step_run *run, const float *x, float *y)
{
    const struct vgg_activation *in = run->in, *out = run->out;
    const bool log_of = run->step->node->softmax.log;
    const float max = find_max(in, x);
    double sum = 0;
    for (int c = 0; c < in->shape.c; c++) {
        const float power = expf(x[find_channel(in, c)] - max);
        y[find_channel(out, c)] = power;
        sum += (double)power;
    }
    const double log_sum = log_of ? log(sum) : 0;
    for (int c = 0; c < in->shape.c; c++) {
        float *to = y + find_channel(out, c);
        *to = log_of ? (float)((double)(x[find_channel(in, c)] - max) - log_sum)
                     : (float)((double)*to / sum);
    }
}

static void softmax_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    for (int h = task.begin; h < task.end; h++) {
        for (int w = 0; w < out->shape.w; w++) {
            compute_pixel(run, vgg_lanes_get_row(in, task.n, 0, h) + (ptrdiff_t)w * in->lanes,
                          vgg_lanes_get_row(out, task.n, 0, h) + (ptrdiff_t)w * out->lanes);
        }
    }
    for (int block = 0; block < out->blocks; block++) {
        vgg_lanes_finish(out, task.n, block, task.begin, task.end);
    }
}

void vgg_softmax_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    vgg_step_run_all(&run, executor->pool, softmax_task);
}
