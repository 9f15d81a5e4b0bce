/* SPDX-License-Identifier: MIT */
/* Building plans of int8 nets. */
#include "plan/int8/int8_build.h"

#include <stdio.h>
#include <string.h>

#include "base/arith.h"
#include "base/file.h"
#include "plan/activation.h"
#include "plan/nodes.h"
#include "plan/task.h"

enum {
    /* Input of a convolution's task. Together with a block's weights it fills half of a second-level cache of 2 MiB. */
    INPUT_ROWS_BYTES = 512 * 1024,
    /* Output of a convolution that a pool reads from the same cache. */
    POOLED_ROWS_BYTES = 96 * 1024,
    /* Weights of a linear layer's task, which has at least LINEAR_STREAMS groups of rows, because these are read side by
     * side. */
    LINEAR_SLICE_BYTES = 512 * 1024,
    LINEAR_STREAMS = 8,
};

/* --- steps ------------------------------------------------------------------------------------ */

static vgg_status check_products(const struct vgg_plan *plan, const struct vgg_node *node,
                                 int64_t products, struct vgg_error *err)
{
    if (products > VGG_INT8_MAX_PRODUCTS) {
        return vgg_fail(
            err, VGG_ERR_UNSUPPORTED,
            "%s: %s (%s) in an int8 net: sums of %lld products could exceed 32 bits; at "
            "most %d are supported",
            plan->path, node->name, vgg_node_type(node), (long long)products,
            VGG_INT8_MAX_PRODUCTS);
    }
    return VGG_OK;
}

/* A convolution with its ReLU. Unless the plan is unfused, a max-pool with windows side by side is fused, too. */
static vgg_status make_conv(struct vgg_plan *plan, const struct vgg_chain *chain,
                            struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_node *node = step->node;
    const struct vgg_conv2d *conv = &node->conv;
    const struct vgg_activation *in = &plan->activations[step->in];
    struct vgg_int8_conv_step *int8 = &step->int8_conv;
    if (conv->dense) {
        return vgg_plan_refuse(plan, node, "dense evaluation needs float32 weights", err);
    }
    if (in->lanes == 1 || node->int8.weight_scale == NULL || node->int8.output_scale == 0) {
        return vgg_plan_refuse(plan, node, "not expected at this place", err);
    }
    if (!vgg_chain_has(chain, 1, VGG_OP_RELU)) {
        return vgg_plan_refuse(plan, node, "expected ReLU after it: bytes have no negative numbers",
                               err);
    }
    /* The side is limited first, so that the number of products cannot overflow. */
    const int64_t side =
        conv->kernel < VGG_INT8_MAX_PRODUCTS ? conv->kernel : VGG_INT8_MAX_PRODUCTS;
    vgg_status status =
        check_products(plan, node, (int64_t)in->blocks * in->lanes * side * side, err);
    step->kind = VGG_STEP_INT8_CONV;
    step->last = node + 1;
    int8->kernel = conv->kernel;
    int8->stride = conv->stride;
    int8->padding = conv->padding;
    if (!plan->options.unfused && vgg_chain_has(chain, 2, VGG_OP_MAX_POOL) &&
        node[2].max_pool.kernel == node[2].max_pool.stride) {
        int8->pool = node[2].max_pool.kernel;
        step->last = node + 2;
    }
    int8->weights.weight_group_stride =
        (ptrdiff_t)in->blocks * in->lanes * conv->kernel * conv->kernel * VGG_INT8_GROUP;
    return status;
}

static vgg_status make_linear(struct vgg_plan *plan, const struct vgg_chain *chain,
                              struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_node *node = step->node;
    const struct vgg_activation *in = &plan->activations[step->in];
    struct vgg_int8_linear_step *linear = &step->int8_linear;
    if (in->lanes != 1 || in->element_bytes != 1 || node->int8.weight_scale == NULL) {
        return vgg_plan_refuse(plan, node, "not expected at this place", err);
    }
    step->kind = VGG_STEP_INT8_LINEAR;
    linear->relu = vgg_chain_has(chain, 1, VGG_OP_RELU);
    step->last = linear->relu ? node + 1 : node;
    if (linear->relu != (node->int8.output_scale > 0)) {
        return vgg_plan_refuse(plan, node, "expected ReLU after it unless it gives the logits",
                               err);
    }
    linear->k_blocks = vgg_ceil_div(node->linear.in_features, VGG_INT8_BLOCK);
    linear->weights.weight_group_stride =
        (ptrdiff_t)linear->k_blocks * VGG_INT8_BLOCK * VGG_INT8_GROUP;
    return check_products(plan, node, (int64_t)linear->k_blocks * VGG_INT8_BLOCK, err);
}

vgg_status vgg_int8_make_input(struct vgg_plan *plan, const struct vgg_node *first,
                               struct vgg_error *err)
{
    if (plan->options.input.c > 3) {
        return vgg_plan_refuse(plan, first, "at most 3 input channels are supported", err);
    }
    const int input = vgg_plan_add_activation(plan, plan->options.input, VGG_INT8_INPUT_BLOCK);
    plan->activations[input].element_bytes = 1;
    plan->activations[input].scale = 1;
    plan->steps[plan->step_count++] =
        (struct vgg_step){.kind = VGG_STEP_QUANTIZE_INPUT, .in = -1, .out = input};
    return VGG_OK;
}

vgg_status vgg_int8_make_step(struct vgg_plan *plan, const struct vgg_chain *chain,
                              struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_node *node = step->node;
    const bool features = plan->activations[step->in].lanes == 1;
    vgg_status status = VGG_OK;
    /* Dropout, and ReLU of bytes, which are never negative. */
    step->kind = VGG_STEP_IDENTITY;
    step->last = node;
    switch (node->op) {
    case VGG_OP_CONV2D:
        status = make_conv(plan, chain, step, err);
        break;
    case VGG_OP_LINEAR:
        status = make_linear(plan, chain, step, err);
        break;
    case VGG_OP_MAX_POOL:
        step->kind = VGG_STEP_MAX_POOL;
        break;
    case VGG_OP_ADAPTIVE_AVG_POOL:
        if (node->adaptive_pool.oh != chain->shape.h || node->adaptive_pool.ow != chain->shape.w) {
            step->kind = VGG_STEP_AVG_POOL;
        }
        break;
    case VGG_OP_FLATTEN:
        step->kind = VGG_STEP_FLATTEN;
        break;
    case VGG_OP_RELU:
    case VGG_OP_DROPOUT:
        break;
    default:
        return vgg_plan_refuse(plan, node, "not supported", err);
    }
    if (status == VGG_OK && features && step->kind != VGG_STEP_INT8_LINEAR &&
        step->kind != VGG_STEP_IDENTITY) {
        return vgg_plan_refuse(plan, node, "not expected at this place", err);
    }
    return status;
}

vgg_status vgg_int8_make_output(struct vgg_plan *plan, struct vgg_step *step,
                                struct vgg_shape shape, struct vgg_error *err)
{
    (void)err;
    const bool linear = step->kind == VGG_STEP_INT8_LINEAR;
    const bool features = step->kind == VGG_STEP_FLATTEN || linear;
    const bool weighs = step->kind == VGG_STEP_INT8_CONV || linear;
    const bool logits = linear && !step->int8_linear.relu;
    if (step->kind == VGG_STEP_IDENTITY) {
        return VGG_OK;
    }
    step->out = vgg_plan_add_activation(plan, shape, features ? 1 : VGG_INT8_BLOCK);
    struct vgg_activation *out = &plan->activations[step->out];
    out->element_bytes = logits ? sizeof(float) : 1;
    out->scale = weighs ? step->node->int8.output_scale : plan->activations[step->in].scale;
    return VGG_OK;
}

/* --- tasks ------------------------------------------------------------------------------------ */

static void partition_conv(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    struct vgg_int8_conv_step *conv = &step->int8_conv;
    const int pool = conv->pool > 0 ? conv->pool : 1;
    /* Of the input. */
    const int64_t row_bytes = (int64_t)in->row_stride * in->blocks;
    const int64_t output_row_bytes = row_bytes * conv->stride * pool;
    const int64_t weight_bytes =
        (int64_t)conv->weights.weight_group_stride * vgg_ceil_div(out->shape.c, VGG_INT8_GROUP);
    const int rows = vgg_clamp((int)(INPUT_ROWS_BYTES / output_row_bytes), 1, out->shape.h);
    const int chunks = vgg_ceil_div(out->shape.h, rows);
    step->cut = (struct vgg_cut){
        .groups = out->blocks,
        .chunks =
            vgg_cut_rows(plan, out->shape.h, chunks, (int64_t)out->blocks * plan->options.batch),
        .groups_first = weight_bytes > row_bytes * (in->shape.h + 2 * (int64_t)in->pad),
    };
    if (conv->pool > 0) {
        const int64_t pooled_row_bytes = (int64_t)out->shape.w * pool * pool * VGG_INT8_BLOCK;
        conv->rows = vgg_clamp((int)(POOLED_ROWS_BYTES / pooled_row_bytes), 1,
                               vgg_ceil_div(out->shape.h, step->cut.chunks));
        step->scratch = (struct vgg_scratch){
            .slots = plan->options.threads,
            .slot_elements = (size_t)conv->rows * (size_t)pooled_row_bytes / sizeof(float),
        };
    }
}

static void partition_linear(const struct vgg_plan *plan, struct vgg_step *step)
{
    const int groups = vgg_ceil_div(plan->activations[step->out].shape.c, VGG_INT8_GROUP);
    const int64_t at_once = LINEAR_SLICE_BYTES / step->int8_linear.weights.weight_group_stride;
    step->cut.groups = vgg_ceil_div(groups, vgg_clamp((int)at_once, LINEAR_STREAMS, groups));
}

void vgg_int8_partition(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        const struct vgg_activation *out = &plan->activations[step->out];
        step->cut = (struct vgg_cut){.groups = 1, .chunks = 1};
        switch (step->kind) {
        case VGG_STEP_INT8_CONV:
            partition_conv(plan, step);
            break;
        case VGG_STEP_QUANTIZE_INPUT:
            step->cut.chunks = vgg_cut_rows(plan, out->shape.h, 1, 1);
            break;
        case VGG_STEP_MAX_POOL:
            step->cut.groups = out->blocks;
            step->cut.chunks = vgg_cut_rows(plan, out->shape.h, 1, out->blocks);
            break;
        case VGG_STEP_AVG_POOL:
            step->cut.groups = out->blocks;
            break;
        case VGG_STEP_INT8_LINEAR:
            partition_linear(plan, step);
            break;
        default:
            break;
        }
    }
}

/* --- scales and biases ------------------------------------------------------------------------ */

/* Copies an int32 tensor and checks each element. */
static vgg_status copy_integers(const struct vgg_plan *plan, const struct vgg_tensor *tensor,
                                int64_t max, int32_t *out, struct vgg_error *err)
{
    const int64_t count = vgg_tensor_get_count(tensor);
    /* What is checked is the copy, which the file cannot change any more. */
    vgg_copy_changing(tensor->data, (size_t)count * sizeof *out, out);
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)out[i];
        const int32_t value = (int32_t)(tensor->swapped ? __builtin_bswap32(bits) : bits);
        if (value < -max || value > max) {
            return vgg_fail(err, VGG_ERR_FORMAT,
                            "%s: %s: expected integers up to %lld, so that no sum exceeds 32 bits, "
                            "found %d at element %lld",
                            plan->path, tensor->name, (long long)max, value, (long long)i);
        }
        out[i] = value;
    }
    return VGG_OK;
}

/* Computes the factors from a layer's sums to its output, in double precision, so that every machine gets the same. */
static vgg_status make_scales(const struct vgg_plan *plan, const struct vgg_node *node, float *out,
                              struct vgg_error *err)
{
    const struct vgg_tensor *tensor = node->int8.weight_scale;
    const double made = node->int8.output_scale > 0 ? (double)node->int8.output_scale : 1;
    vgg_tensor_read_f32(tensor, out);
    for (int64_t i = 0; i < vgg_tensor_get_count(tensor); i++) {
        const double scale = (double)node->int8.input_scale * (double)out[i] / made;
        /* The condition is negated so that it is true for NaN. */
        if (!(out[i] > 0 && scale >= (double)VGG_INT8_MIN_SCALE &&
              scale <= (double)VGG_INT8_MAX_SCALE)) {
            return vgg_fail(
                err, VGG_ERR_FORMAT,
                "%s: %s: expected a factor from %g to %g between sums and results, found "
                "%g at element %lld",
                plan->path, tensor->name, (double)VGG_INT8_MIN_SCALE, (double)VGG_INT8_MAX_SCALE,
                scale, (long long)i);
        }
        out[i] = (float)scale;
    }
    return VGG_OK;
}

/* Weights of a convolution or a linear layer, or NULL. */
static struct vgg_int8_weights *weights_of(struct vgg_step *step)
{
    return step->kind == VGG_STEP_INT8_CONV     ? &step->int8_conv.weights
           : step->kind == VGG_STEP_INT8_LINEAR ? &step->int8_linear.weights
                                                : NULL;
}

static vgg_status load_layer(struct vgg_plan *plan, const struct vgg_node *node,
                             struct vgg_int8_weights *to, struct vgg_error *err)
{
    const bool conv = node->op == VGG_OP_CONV2D;
    const struct vgg_tensor *weight = conv ? node->conv.weight : node->linear.weight;
    const struct vgg_tensor *bias = conv ? node->conv.bias : node->linear.bias;
    const int rows = conv ? node->conv.oc : node->linear.out_features;
    const size_t padded = (size_t)vgg_ceil_div(rows, VGG_INT8_GROUP) * VGG_INT8_GROUP;
    to->weight = weight->data;
    to->bias = vgg_arena_alloc(&plan->arena, padded, sizeof *to->bias);
    to->weight_sum = vgg_arena_alloc(&plan->arena, padded, sizeof *to->weight_sum);
    to->scale = vgg_arena_alloc(&plan->arena, padded, sizeof *to->scale);
    if (to->bias == NULL || to->weight_sum == NULL || to->scale == NULL) {
        return vgg_fail_memory(err, plan->path, 3 * padded * sizeof *to->bias, node->name);
    }
    plan->weight_bytes += 3 * padded * sizeof *to->bias;
    const int64_t products = to->weight_group_stride / VGG_INT8_GROUP;
    vgg_status status = copy_integers(plan, bias, VGG_INT8_MAX_BIAS, to->bias, err);
    if (status == VGG_OK) {
        status = copy_integers(plan, node->int8.weight_sum, 128 * products, to->weight_sum, err);
    }
    return status == VGG_OK ? make_scales(plan, node, to->scale, err) : status;
}

vgg_status vgg_int8_load(struct vgg_plan *plan, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (int s = 0; s < plan->step_count && status == VGG_OK; s++) {
        struct vgg_int8_weights *weights = weights_of(&plan->steps[s]);
        if (weights != NULL) {
            status = load_layer(plan, plan->steps[s].node, weights, err);
        }
    }
    return status;
}

/* --- description ------------------------------------------------------------------------------ */

void vgg_int8_describe(const struct vgg_plan *plan, const struct vgg_step *step, char *algorithm,
                       size_t bytes, struct vgg_step_info *info)
{
    const bool conv = step->kind == VGG_STEP_INT8_CONV;
    const bool weighs = conv || step->kind == VGG_STEP_INT8_LINEAR;
    snprintf(algorithm, bytes, weighs || step->in < 0 ? "int8 %s" : "int8",
             plan->options.int8->isa);
    if (!weighs) {
        return;
    }
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    const double groups = vgg_ceil_div(out->shape.c, VGG_INT8_GROUP);
    const ptrdiff_t stride = conv ? step->int8_conv.weights.weight_group_stride
                                  : step->int8_linear.weights.weight_group_stride;
    double pixels = 1, products = (double)in->shape.c;
    if (conv) {
        const int pool = step->int8_conv.pool > 0 ? step->int8_conv.pool : 1;
        const double kernel = step->int8_conv.kernel;
        pixels = (double)out->shape.h * out->shape.w * pool * pool;
        products *= kernel * kernel;
    }
    info->weight_bytes = (uint64_t)(groups * (double)stride);
    info->multiply_adds = plan->options.batch * pixels * products * out->shape.c;
    info->products = plan->options.batch * pixels * (double)info->weight_bytes;
}
