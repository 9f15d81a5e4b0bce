/* SPDX-License-Identifier: MIT */
/* Steps of layers that VGG itself does not have: who cuts and runs each. */
#include "plan/f32/general.h"

#include "base/arith.h"
#include "plan/f32/function.h"
#include "plan/f32/general_conv.h"
#include "plan/f32/general_pool.h"
#include "plan/f32/reshape.h"
#include "plan/f32/softmax.h"
#include "plan/task.h"

/* A block of output channels is a group; its rows are cut where there are few blocks. */
static void partition_rows(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    step->cut.chunks = vgg_cut_rows(plan, out->shape.h, 1, step->cut.groups);
}

void vgg_general_partition(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    const int blocks = vgg_ceil_div(out->shape.c, plan->options.kernels->lanes);
    switch (step->kind) {
    case VGG_STEP_GENERAL_CONV:
        vgg_general_conv_partition(plan, step);
        break;
    case VGG_STEP_ADAPTIVE_MAX_POOL:
    case VGG_STEP_CONCAT_POOL:
        vgg_adaptive_pool_partition(plan, step);
        break;
    case VGG_STEP_FUNCTION:
    case VGG_STEP_GENERAL_POOL:
    case VGG_STEP_ZERO_PAD:
    case VGG_STEP_ORDER_INPUT:
        step->cut.groups = blocks;
        partition_rows(plan, step);
        break;
    case VGG_STEP_SOFTMAX: /* needs all channels of a pixel */
        step->cut.groups = 1;
        partition_rows(plan, step);
        break;
    default:
        break;
    }
}

void vgg_general_run(struct vgg_executor *executor, const struct vgg_step *step)
{
    switch (step->kind) {
    case VGG_STEP_GENERAL_CONV:
        vgg_general_conv_run(executor, step);
        break;
    case VGG_STEP_GENERAL_POOL:
        vgg_general_pool_run(executor, step);
        break;
    case VGG_STEP_ADAPTIVE_MAX_POOL:
    case VGG_STEP_CONCAT_POOL:
        vgg_adaptive_pool_run(executor, step);
        break;
    case VGG_STEP_FUNCTION:
        vgg_function_run(executor, step);
        break;
    case VGG_STEP_ZERO_PAD:
        vgg_zero_pad_run(executor, step);
        break;
    case VGG_STEP_ORDER_INPUT:
        vgg_order_input_run(executor, step);
        break;
    case VGG_STEP_SOFTMAX:
        vgg_softmax_run(executor, step);
        break;
    default:
        break;
    }
}
