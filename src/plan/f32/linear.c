/* SPDX-License-Identifier: MIT */
/* Running fully connected layers. Row-major weights are cut into slices here, column-major ones in sparse_linear.c. */
#include "plan/f32/linear.h"

#include "base/arith.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/sparse_linear.h"

/* What the tasks of a layer need. */
struct rows_run {
    const struct vgg_executor *executor;
    const struct vgg_step *step;
    const struct vgg_linear_args *layer;
};

static void rows_task(void *context, size_t index, int worker)
{
    const struct rows_run *run = context;
    const struct vgg_kernels *kernels = run->executor->plan->options.kernels;
    const struct vgg_step *step = run->step;
    float *slices = vgg_executor_get_state(run->executor, step)->rows;
    const int rows = run->layer->end, tile = kernels->linear_rows, groups = step->cut.groups;
    /* Slices are whole tiles of rows, so that only the last one can have an incomplete tile. */
    const int64_t tiles = vgg_ceil_div(rows, tile);
    const int begin = (int)(tiles * (int64_t)index / groups) * tile;
    const int end = (int)(tiles * ((int64_t)index + 1) / groups) * tile;
    struct vgg_linear_args args = *run->layer;
    args.begin = begin;
    args.end = end < rows ? end : rows;
    vgg_linear_provide(step, slices + (size_t)worker * step->linear.weights.rows_elements, &args);
    kernels->linear(&args);
}

void vgg_linear_run(const struct vgg_executor *executor, const struct vgg_step *step,
                    struct vgg_linear_args *layer, float *scratch)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    layer->type =
        vgg_linear_is_in_place(step) ? vgg_linear_get_type(linear.weight->dtype) : VGG_WEIGHTS_F32;
    layer->bias = step->linear.weights.bias;
    layer->begin = 0;
    layer->end = linear.rows;
    layer->k = (int)linear.features;
    layer->relu = step->linear.relu;
    if (vgg_is_column_major(linear.weight)) {
        vgg_sparse_linear_run(executor, step, layer, scratch);
    } else {
        struct rows_run run = {executor, step, layer};
        vgg_pool_run(executor->pool, (size_t)step->cut.groups, rows_task, &run);
    }
}
