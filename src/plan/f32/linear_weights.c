/* SPDX-License-Identifier: MIT */
/* The weights of fully connected layers: where they are, and the slices that tasks read. */
#include "plan/f32/linear_weights.h"

#include "base/arith.h"
#include "model/graph/norm.h"

struct vgg_linear_view vgg_linear_view(const struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_linear *linear = &step->node->linear;
    if (step->kind == VGG_STEP_DENSE) {
        return (struct vgg_linear_view){conv->weight, conv->bias, conv->oc,
                                        (size_t)conv->ic * (size_t)conv->kernel *
                                            (size_t)conv->kernel};
    }
    return (struct vgg_linear_view){linear->weight, linear->bias, linear->out_features,
                                    (size_t)linear->in_features};
}

bool vgg_linear_has_kernel(enum vgg_dtype dtype)
{
    return dtype == VGG_DTYPE_F32 || dtype == VGG_DTYPE_BF16 || dtype == VGG_DTYPE_F16;
}

enum vgg_weights_type vgg_linear_get_type(enum vgg_dtype dtype)
{
    return dtype == VGG_DTYPE_BF16  ? VGG_WEIGHTS_BF16
           : dtype == VGG_DTYPE_F16 ? VGG_WEIGHTS_F16
                                    : VGG_WEIGHTS_F32;
}

bool vgg_is_column_major(const struct vgg_tensor *weight)
{
    return weight->layout == VGG_LAYOUT_COLUMN_MAJOR && !weight->swapped &&
           vgg_linear_has_kernel(weight->dtype);
}

bool vgg_linear_is_in_place(const struct vgg_step *step)
{
    const struct vgg_tensor *weight = vgg_linear_view(step).weight;
    return vgg_is_column_major(weight) ||
           (step->linear.weights.norm == NULL && vgg_linear_has_kernel(weight->dtype) &&
            !weight->swapped && vgg_tensor_is_contiguous(weight));
}

void vgg_linear_read(const struct vgg_step *step, int begin, int end, float *rows)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    const int64_t features = (int64_t)linear.features;
    vgg_tensor_read_range(linear.weight, begin * features, (end - begin) * features, rows);
    for (int row = begin; step->linear.weights.norm_scale != NULL && row < end;
         row++, rows += features) {
        vgg_fold_weights(rows, linear.features, step->linear.weights.norm_scale[row]);
    }
}

void vgg_linear_provide(const struct vgg_step *step, float *slice, struct vgg_linear_args *args)
{
    args->weight = step->linear.in_place;
    if (args->weight != NULL) {
        return;
    }
    vgg_linear_read(step, args->begin, args->end, slice);
    args->weight = slice;
    args->bias = args->bias != NULL ? args->bias + args->begin : NULL;
    args->y += args->begin;
    args->end -= args->begin;
    args->begin = 0;
}

void vgg_linear_size_weights(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    if (vgg_linear_is_in_place(step)) {
        return;
    }
    if (plan->options.one_shot) {
        /* Each task converts its own slice to float32, so that no copy of all weights is made. */
        const int tile = plan->options.kernels->linear_rows;
        const int tiles = vgg_ceil_div(vgg_ceil_div(linear.rows, tile), step->cut.groups);
        step->linear.weights.rows_elements = (size_t)(tiles * tile) * linear.features;
    } else {
        step->linear.weights.elements = (size_t)linear.rows * linear.features;
    }
}

struct copy_run {
    const struct vgg_step *step;
    float *weight;
};

static void copy_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct copy_run *run = context;
    const struct vgg_linear_view linear = vgg_linear_view(run->step);
    const int groups = run->step->cut.groups;
    const int begin = (int)((int64_t)linear.rows * (int64_t)index / groups);
    const int end = (int)((int64_t)linear.rows * ((int64_t)index + 1) / groups);
    vgg_linear_read(run->step, begin, end, run->weight + (size_t)begin * linear.features);
}

void vgg_linear_copy(const struct vgg_step *step, struct vgg_pool *pool, float *weight)
{
    struct copy_run run = {step, weight};
    vgg_pool_run(pool, (size_t)step->cut.groups, copy_task, &run);
}
