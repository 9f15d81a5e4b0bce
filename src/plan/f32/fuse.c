/* SPDX-License-Identifier: MIT */
/* Makes the steps of a float32 net: which nodes are computed together, and in which layout each result is stored. */
#include "plan/f32/fuse.h"

#include "plan/activation.h"
#include "plan/f32/choose_conv.h"
#include "plan/f32/dense_linear.h"
#include "plan/f32/function.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/memory_budget.h"
#include "plan/f32/prepacked.h"
#include "plan/f32/sparse_linear.h"
#include "plan/nodes.h"

/* A convolution is direct until vgg_choose_conv decides. */
static enum vgg_step_kind kind_of(const struct vgg_node *node)
{
    switch (node->op) {
    case VGG_OP_CONV2D:
        return node->conv.dense ? VGG_STEP_DENSE : VGG_STEP_DIRECT_CONV;
    case VGG_OP_BATCH_NORM:
        return VGG_STEP_SCALE_SHIFT;
    case VGG_OP_RELU:
        return VGG_STEP_RELU;
    case VGG_OP_LRN:
        return VGG_STEP_LRN;
    case VGG_OP_MAX_POOL:
        return VGG_STEP_MAX_POOL;
    case VGG_OP_ADAPTIVE_AVG_POOL:
        return VGG_STEP_AVG_POOL;
    case VGG_OP_FLATTEN:
        return VGG_STEP_FLATTEN;
    case VGG_OP_LINEAR:
        return VGG_STEP_LINEAR;
    case VGG_OP_GENERAL_CONV:
        return VGG_STEP_GENERAL_CONV;
    case VGG_OP_GENERAL_POOL:
        return VGG_STEP_GENERAL_POOL;
    case VGG_OP_ADAPTIVE_MAX_POOL:
        return VGG_STEP_ADAPTIVE_MAX_POOL;
    case VGG_OP_CONCAT_POOL:
        return VGG_STEP_CONCAT_POOL;
    case VGG_OP_ACTIVATION:
        return node->activation.kind == VGG_ACTIVATION_RELU ? VGG_STEP_RELU : VGG_STEP_FUNCTION;
    case VGG_OP_ZERO_PAD:
        return VGG_STEP_ZERO_PAD;
    case VGG_OP_SOFTMAX:
        return VGG_STEP_SOFTMAX;
    case VGG_OP_DROPOUT:
        return VGG_STEP_IDENTITY;
    }
    return VGG_STEP_IDENTITY;
}

/* Adds the BatchNorm that follows, which is folded into the weights, and the ReLU after it. Column-major weights are read
 * in place, so nothing can be folded into them. */
static void fuse(const struct vgg_chain *chain, struct vgg_step *step,
                 struct vgg_folded_weights *weights, bool *relu)
{
    size_t ahead = 1;
    if (vgg_chain_has(chain, ahead, VGG_OP_BATCH_NORM) &&
        (!vgg_step_is_linear(step) || !vgg_is_column_major(vgg_linear_view(step).weight))) {
        weights->norm = &step->node[ahead++]; /* column-major weights are never copied */
    }
    if (chain->at + ahead < chain->count && kind_of(&step->node[ahead]) == VGG_STEP_RELU) {
        *relu = true;
        ahead++;
    }
    step->last = &step->node[ahead - 1];
}

/* Adds the pool to a Winograd convolution, whose output transform computes it: its windows never straddle tiles. */
static void fuse_pool(const struct vgg_chain *chain, struct vgg_step *step)
{
    const size_t taken = (size_t)(step->last - step->node) + 1;
    if (vgg_chain_has_small_pool(chain, taken)) {
        step->winograd_conv.pool = true;
        step->last = &step->node[taken];
    }
}

/* Makes the step a convolution by the chosen algorithm. */
static void set_conv(struct vgg_step *step, const struct vgg_conv_choice *choice)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_conv_common layer = {
        .prepacked = choice->prepacked,
        .reason = choice->reason,
        .predicted_ms = choice->predicted_ms,
    };
    step->scratch = choice->scratch;
    if (choice->algorithm == VGG_DIRECT) {
        step->kind = VGG_STEP_DIRECT_CONV;
        step->direct_conv = (struct vgg_direct_conv_step){
            .layer = layer,
            .kernel = conv->kernel,
            .stride = conv->stride,
            .padding = conv->padding,
        };
    } else {
        step->kind = VGG_STEP_WINOGRAD_CONV;
        step->winograd_conv = (struct vgg_winograd_conv_step){
            .layer = layer,
            .algorithm = choice->algorithm,
            .layout = choice->winograd,
        };
    }
}

static vgg_status make_conv(struct vgg_plan *plan, const struct vgg_chain *chain,
                            struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_conv_request request = {
        .conv = &step->node->conv,
        .in = chain->shape,
        .nchw = chain->at == 0,
        .budget = vgg_plan_find_budget(plan, chain),
    };
    struct vgg_conv_choice choice;
    if (!vgg_choose_conv(plan, &request, &choice)) {
        return vgg_fail_not_prepacked(plan, step->node, request.nchw, err);
    }
    set_conv(step, &choice);
    if (!plan->options.unfused) {
        fuse(chain, step, &step->conv.weights, &step->conv.relu);
        if (step->kind == VGG_STEP_WINOGRAD_CONV) {
            fuse_pool(chain, step);
        }
    }
    return VGG_OK;
}

static void make_linear(struct vgg_plan *plan, const struct vgg_chain *chain, struct vgg_step *step)
{
    if (step->kind == VGG_STEP_DENSE) {
        step->linear.kernel = step->node->conv.kernel;
        step->linear.windows = vgg_dense_choose(plan, step, chain->shape, &step->scratch);
    } else if (vgg_is_column_major(step->node->linear.weight)) {
        step->scratch =
            (struct vgg_scratch){.slots = 1,
                                 .slot_elements = vgg_sparse_linear_count_scratch(
                                     step->node->linear.in_features, plan->options.batch)};
    }
    if (!plan->options.unfused) {
        fuse(chain, step, &step->linear.weights, &step->linear.relu);
    }
}

vgg_status vgg_f32_make_input(struct vgg_plan *plan, const struct vgg_node *first,
                              struct vgg_error *err)
{
    (void)err;
    vgg_plan_add_activation(plan, plan->options.input, 1);
    if (kind_of(first) != VGG_STEP_DIRECT_CONV) { /* which alone reads NCHW */
        const int in_order =
            vgg_plan_add_activation(plan, plan->options.input, plan->options.kernels->lanes);
        plan->steps[plan->step_count++] =
            (struct vgg_step){.kind = VGG_STEP_ORDER_INPUT, .in = 0, .out = in_order};
    }
    return VGG_OK;
}

static bool keeps_size(const struct vgg_adaptive_pool *pool, struct vgg_shape in)
{
    return (pool->oh == 0 || pool->oh == in.h) && (pool->ow == 0 || pool->ow == in.w);
}

vgg_status vgg_f32_make_step(struct vgg_plan *plan, const struct vgg_chain *chain,
                             struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_node *node = step->node;
    step->kind = kind_of(node);
    step->last = node;
    if (vgg_step_is_conv(step)) {
        return make_conv(plan, chain, step, err);
    }
    if (vgg_step_is_linear(step)) {
        make_linear(plan, chain, step);
    }
    if (step->kind == VGG_STEP_GENERAL_CONV && !plan->options.unfused) {
        fuse(chain, step, &step->weights, &step->general_conv.relu);
    }
    if (step->kind == VGG_STEP_FUNCTION) {
        return vgg_function_make(plan, step, chain->shape.c, err);
    }
    if (step->kind == VGG_STEP_LRN && node->lrn.size > VGG_LRN_MAX_SIZE) {
        return vgg_plan_refuse(plan, node, "windows of more than 255 channels are not supported",
                               err);
    }
    if (step->kind == VGG_STEP_AVG_POOL && !plan->options.unfused &&
        keeps_size(&node->adaptive_pool, chain->shape)) {
        step->kind = VGG_STEP_IDENTITY; /* windows of one pixel */
    }
    return VGG_OK;
}

/* Whether the step can read an activation of this layout. */
static bool can_read(const struct vgg_plan *plan, const struct vgg_step *step, bool nchwc)
{
    switch (step->kind) {
    case VGG_STEP_DIRECT_CONV:
    case VGG_STEP_WINOGRAD_CONV:
        return nchwc || step->in == 0;
    case VGG_STEP_MAX_POOL:
    case VGG_STEP_AVG_POOL:
    case VGG_STEP_DENSE:
    case VGG_STEP_LRN:
    case VGG_STEP_GENERAL_CONV:
    case VGG_STEP_GENERAL_POOL:
    case VGG_STEP_ADAPTIVE_MAX_POOL:
    case VGG_STEP_CONCAT_POOL:
    case VGG_STEP_ZERO_PAD:
        return nchwc;
    case VGG_STEP_SCALE_SHIFT:
        return nchwc || step->node->norm.flat;
    case VGG_STEP_LINEAR:
        return !nchwc || plan->options.kernels->lanes == 1;
    default:
        return true;
    }
}

/* Whether its output has the layout of its input, image or features. */
static bool is_pointwise(const struct vgg_step *step)
{
    return step->kind == VGG_STEP_RELU || step->kind == VGG_STEP_SCALE_SHIFT ||
           step->kind == VGG_STEP_FUNCTION || step->kind == VGG_STEP_SOFTMAX;
}

vgg_status vgg_f32_make_output(struct vgg_plan *plan, struct vgg_step *step, struct vgg_shape shape,
                               struct vgg_error *err)
{
    const int lanes = plan->options.kernels->lanes;
    const bool nchwc = plan->activations[step->in].lanes == lanes;
    const bool features = step->kind == VGG_STEP_FLATTEN || step->kind == VGG_STEP_LINEAR ||
                          (is_pointwise(step) && !nchwc);
    if (!can_read(plan, step, nchwc)) {
        return vgg_plan_refuse(plan, step->node, "not expected at this place of a VGG", err);
    }
    if (step->kind == VGG_STEP_FLATTEN && !nchwc) {
        step->kind = VGG_STEP_IDENTITY; /* of features */
    }
    if (step->kind != VGG_STEP_IDENTITY) {
        step->out = vgg_plan_add_activation(plan, shape, features ? 1 : lanes);
    }
    return VGG_OK;
}
