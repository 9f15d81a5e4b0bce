/* SPDX-License-Identifier: MIT */
/* Activation functions other than ReLU, on images and on features. */
#include "plan/f32/function.h"

#include "base/arith.h"
#include "model/graph/norm.h"
#include "plan/f32/lanes.h"
#include "plan/task.h"

static enum vgg_function get_function(enum vgg_activation_kind kind)
{
    static const enum vgg_function functions[] = {
        [VGG_ACTIVATION_RELU] = VGG_FUNCTION_LEAKY_RELU, /* never: it has a step of its own */
        [VGG_ACTIVATION_LEAKY_RELU] = VGG_FUNCTION_LEAKY_RELU,
        [VGG_ACTIVATION_PRELU] = VGG_FUNCTION_LEAKY_RELU,
        [VGG_ACTIVATION_ELU] = VGG_FUNCTION_ELU,
        [VGG_ACTIVATION_GELU] = VGG_FUNCTION_GELU,
        [VGG_ACTIVATION_GELU_TANH] = VGG_FUNCTION_GELU_TANH,
        [VGG_ACTIVATION_SILU] = VGG_FUNCTION_SILU,
        [VGG_ACTIVATION_TANH] = VGG_FUNCTION_TANH,
        [VGG_ACTIVATION_SIGMOID] = VGG_FUNCTION_SIGMOID,
        [VGG_ACTIVATION_HARDSWISH] = VGG_FUNCTION_HARDSWISH,
        [VGG_ACTIVATION_RELU6] = VGG_FUNCTION_RELU6,
    };
    return functions[kind];
}

vgg_status vgg_function_make(struct vgg_plan *plan, struct vgg_step *step, int channels,
                             struct vgg_error *err)
{
    const struct vgg_activation_op *op = &step->node->activation;
    const size_t count = vgg_size_round_up((size_t)channels, (size_t)plan->options.kernels->lanes);
    float *slopes, *slope = vgg_arena_alloc(&plan->arena, count, sizeof *slope);
    if (slope == NULL) {
        return vgg_fail_memory(err, plan->path, count * sizeof *slope, step->node->name);
    }
    const struct vgg_load load = {.path = plan->path, .arena = &plan->arena, .err = err};
    const vgg_status status = vgg_vector_read(&load, op->slopes, &slopes);
    if (status != VGG_OK) {
        return status;
    }
    const bool each = slopes != NULL && vgg_tensor_get_count(op->slopes) > 1;
    for (int c = 0; c < channels; c++) {
        slope[c] = slopes == NULL ? (float)op->slope : slopes[each ? c : 0];
    }
    step->function = (struct vgg_function_step){get_function(op->kind), slope};
    return VGG_OK;
}

/* Features are as many blocks of one pixel: their buffers are whole vectors long. */
static void function_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step_run *run = context;
    const struct vgg_activation *in = run->in, *out = run->out;
    const struct vgg_task task = vgg_step_run_get_task(run, index);
    const bool features = out->lanes == 1;
    const ptrdiff_t first = (ptrdiff_t)task.group * run->plan->options.kernels->lanes;
    const int block = features ? 0 : task.group, begin = features ? 0 : task.begin;
    const ptrdiff_t skipped = features ? first : 0;
    run->plan->options.kernels->apply_function(&(struct vgg_function_args){
        .function = run->step->function.function,
        .x = vgg_lanes_get_row(in, task.n, block, begin) + skipped,
        .x_row_stride = in->row_stride,
        .y = vgg_lanes_get_row(out, task.n, block, begin) + skipped,
        .y_row_stride = out->row_stride,
        .h = task.end - task.begin,
        .w = out->shape.w,
        .slope = run->step->function.slope + first,
    });
    if (!features) {
        vgg_lanes_finish(out, task.n, block, task.begin, task.end);
    }
}

void vgg_function_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_run run = vgg_step_run_make(executor, step);
    vgg_step_run_all(&run, executor->pool, function_task);
}
