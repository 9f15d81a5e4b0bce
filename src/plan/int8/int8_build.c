/* Building the plan of an int8 net. */
#include "plan/int8/int8_build.h"

#include <stdio.h>
#include <string.h>

#include "base/arith.h"
#include "plan/activation.h"

enum {
    INPUT_ROWS_BYTES = 512 * 1024, /* of a convolution's task: with a block's weights, half an L2 */
    POOLED_ROWS_BYTES =
        96 * 1024, /* of a convolution that a pool reads at once, in the same cache */
    LINEAR_SLICE_BYTES = 512 * 1024, /* of weights a task */
    LINEAR_STREAMS = 8,              /* but at least so many groups of rows, read side by side */
    TASKS_PER_THREAD = 4,            /* so that no thread waits long for the last one */
};

static vgg_status refuse(const struct vgg_plan *plan, const struct vgg_node *node, const char *why,
                         struct vgg_error *err)
{
    return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: %s (%s) in an int8 net: %s", plan->path,
                    node->name, vgg_node_type(node), why);
}

static bool is(const struct vgg_node *nodes, size_t count, size_t i, enum vgg_op op)
{
    return i < count && nodes[i].op == op;
}

/* Returns the index of a new activation.
 *   block  channels side by side: VGG_INT8_BLOCK, VGG_INT8_INPUT_BLOCK, or 1 for features */
static int add_activation(struct vgg_plan *plan, struct vgg_shape shape, int block, float scale)
{
    plan->activations[plan->activation_count] = (struct vgg_activation){
        .shape = shape,
        .lanes = block,
        .element_bytes = 1,
        .scale = scale,
        .blocks = vgg_ceil_div(shape.c, block),
    };
    return plan->activation_count++;
}

/* --- steps ------------------------------------------------------------------------------------ */

static vgg_status check_products(const struct vgg_plan *plan, const struct vgg_node *node,
                                 int64_t blocks, int64_t block, int64_t area, struct vgg_error *err)
{
    const int64_t products = blocks * block * area;
    if (products > VGG_INT8_MOST_PRODUCTS) {
        return vgg_fail(
            err, VGG_ERR_UNSUPPORTED,
            "%s: %s (%s) in an int8 net: sums of %lld products could exceed 32 bits; at "
            "most %d are supported",
            plan->path, node->name, vgg_node_type(node), (long long)products,
            VGG_INT8_MOST_PRODUCTS);
    }
    return VGG_OK;
}

/* Convolution and ReLU, and a max-pool of windows side by side unless somebody wants to see what comes
 * between. */
static vgg_status make_conv(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                            size_t i, struct vgg_step *step, size_t *taken, struct vgg_error *err)
{
    const struct vgg_node *node = &nodes[i];
    const struct vgg_conv2d *conv = &node->conv;
    const struct vgg_activation *in = &plan->activations[step->in];
    if (conv->dense) {
        return refuse(plan, node, "dense evaluation needs float32 weights", err);
    }
    if (in->lanes == 1 || node->int8.weight_scale == NULL || node->int8.output_scale == 0) {
        return refuse(plan, node, "not expected at this place", err);
    }
    if (!is(nodes, count, i + 1, VGG_OP_RELU)) {
        return refuse(plan, node, "expected ReLU after it: bytes have no negative numbers", err);
    }
    /* By themselves first: their product with the channels must not overflow. */
    const int64_t side =
        conv->kernel < VGG_INT8_MOST_PRODUCTS ? conv->kernel : VGG_INT8_MOST_PRODUCTS;
    vgg_status status = check_products(plan, node, in->blocks, in->lanes, side * side, err);
    step->kind = VGG_STEP_CONV;
    step->relu = true;
    *taken = 2;
    if (plan->on_node == NULL && is(nodes, count, i + 2, VGG_OP_MAX_POOL) &&
        nodes[i + 2].max_pool.kernel == nodes[i + 2].max_pool.stride) {
        step->pool = &nodes[i + 2];
        *taken = 3;
    }
    step->int8.weight_group_stride =
        (ptrdiff_t)in->blocks * in->lanes * conv->kernel * conv->kernel * VGG_INT8_GROUP;
    return status;
}

static vgg_status make_linear(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                              size_t i, struct vgg_step *step, size_t *taken, struct vgg_error *err)
{
    const struct vgg_node *node = &nodes[i];
    const struct vgg_activation *in = &plan->activations[step->in];
    if (in->lanes != 1 || in->element_bytes != 1 || node->int8.weight_scale == NULL) {
        return refuse(plan, node, "not expected at this place", err);
    }
    step->kind = VGG_STEP_LINEAR;
    step->relu = is(nodes, count, i + 1, VGG_OP_RELU);
    *taken = step->relu ? 2 : 1;
    if (step->relu != (node->int8.output_scale > 0)) {
        return refuse(plan, node, "expected ReLU after it unless it gives the logits", err);
    }
    step->int8.k_blocks = vgg_ceil_div(node->linear.in_features, VGG_INT8_BLOCK);
    step->int8.weight_group_stride =
        (ptrdiff_t)step->int8.k_blocks * VGG_INT8_BLOCK * VGG_INT8_GROUP;
    return check_products(plan, node, step->int8.k_blocks, VGG_INT8_BLOCK, 1, err);
}

/* Fills the step that starts at nodes[i]; *taken receives how many nodes it takes. */
static vgg_status make_step(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                            size_t i, struct vgg_shape in, struct vgg_step *step, size_t *taken,
                            struct vgg_error *err)
{
    const struct vgg_node *node = &nodes[i];
    const bool planar = plan->activations[step->in].lanes == 1;
    vgg_status status = VGG_OK;
    step->node = node;
    step->kind = VGG_STEP_IDENTITY; /* Dropout, and ReLU of what is not negative */
    *taken = 1;
    switch (node->op) {
    case VGG_OP_CONV2D:
        status = make_conv(plan, nodes, count, i, step, taken, err);
        break;
    case VGG_OP_LINEAR:
        status = make_linear(plan, nodes, count, i, step, taken, err);
        break;
    case VGG_OP_MAX_POOL:
        step->kind = VGG_STEP_MAX_POOL;
        break;
    case VGG_OP_ADAPTIVE_AVG_POOL:
        if (node->avg_pool.oh != in.h || node->avg_pool.ow != in.w) {
            step->kind = VGG_STEP_AVG_POOL;
        }
        break;
    case VGG_OP_FLATTEN:
        step->kind = VGG_STEP_FLATTEN;
        break;
    case VGG_OP_LRN:
    case VGG_OP_BATCH_NORM:
        return refuse(plan, node, "not supported", err);
    case VGG_OP_RELU:
    case VGG_OP_DROPOUT:
        break;
    }
    if (planar && step->kind != VGG_STEP_LINEAR && step->kind != VGG_STEP_IDENTITY) {
        return refuse(plan, node, "not expected at this place", err);
    }
    step->last = &nodes[i + *taken - 1];
    return status;
}

/* The activation that a step makes. */
static void make_output(struct vgg_plan *plan, struct vgg_step *step, struct vgg_shape shape)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const bool planar = step->kind == VGG_STEP_FLATTEN || step->kind == VGG_STEP_LINEAR;
    const bool weighs = step->kind == VGG_STEP_CONV || step->kind == VGG_STEP_LINEAR;
    if (step->kind == VGG_STEP_IDENTITY) {
        step->out = step->in;
        return;
    }
    step->out = add_activation(plan, shape, planar ? 1 : VGG_INT8_BLOCK,
                               weighs ? step->node->int8.output_scale : in->scale);
    if (step->kind == VGG_STEP_LINEAR && !step->relu) {
        plan->activations[step->out].element_bytes = sizeof(float);
    }
}

vgg_status vgg_int8_fuse(struct vgg_plan *plan, const struct vgg_node *nodes, size_t node_count,
                         struct vgg_error *err)
{
    if (!is(nodes, node_count, 0, VGG_OP_CONV2D)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a convolution as the first layer",
                        plan->path);
    }
    if (plan->input.c > 3) {
        return refuse(plan, &nodes[0], "at most 3 input channels are supported", err);
    }
    /* At most one step a node, the input's quantisation, and one activation a step. */
    plan->steps = vgg_arena_alloc(&plan->arena, node_count + 1, sizeof *plan->steps);
    plan->activations = vgg_arena_alloc(&plan->arena, node_count + 2, sizeof *plan->activations);
    if (plan->steps == NULL || plan->activations == NULL) {
        return vgg_fail_memory(err, plan->path, node_count * sizeof *plan->steps, "the plan");
    }
    struct vgg_shape shape = plan->input;
    int current = add_activation(plan, shape, VGG_INT8_INPUT_BLOCK, 1);
    plan->steps[plan->step_count++] =
        (struct vgg_step){.kind = VGG_STEP_QUANTIZE_INPUT, .in = -1, .out = current};
    for (size_t i = 0; i < node_count;) {
        struct vgg_step *step = &plan->steps[plan->step_count++];
        size_t taken;
        *step = (struct vgg_step){.in = current};
        vgg_status status = make_step(plan, nodes, node_count, i, shape, step, &taken, err);
        for (size_t n = 0; n < taken && status == VGG_OK; n++) {
            status = vgg_node_infer_shape(&nodes[i + n], shape, &shape, plan->path, err);
        }
        if (status != VGG_OK) {
            return status;
        }
        make_output(plan, step, shape);
        current = step->out;
        i += taken;
    }
    if (plan->activations[current].element_bytes != sizeof(float)) {
        return refuse(plan, &nodes[node_count - 1], "expected a linear layer at the end", err);
    }
    plan->class_count = shape.c;
    vgg_plan_frame(plan);
    return VGG_OK;
}

/* --- tasks ------------------------------------------------------------------------------------ */

static void choose_conv(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    const int pool = step->pool != NULL ? step->pool->max_pool.kernel : 1;
    const int64_t row_bytes = (int64_t)in->row_stride * in->blocks; /* of the input */
    const int64_t output_row_bytes = row_bytes * step->node->conv.stride * pool;
    const int64_t weight_bytes =
        (int64_t)step->int8.weight_group_stride * vgg_ceil_div(out->shape.c, VGG_INT8_GROUP);
    const int rows = vgg_clamp((int)(INPUT_ROWS_BYTES / output_row_bytes), 1, out->shape.h);
    const int chunks = vgg_ceil_div(out->shape.h, rows);
    const int64_t wanted =
        ((int64_t)TASKS_PER_THREAD * plan->threads + (int64_t)out->blocks * plan->batch - 1) /
        ((int64_t)out->blocks * plan->batch);
    step->groups = out->blocks;
    step->chunks = vgg_clamp(chunks > wanted ? chunks : (int)wanted, 1, out->shape.h);
    step->groups_first = weight_bytes > row_bytes * (in->shape.h + 2 * (int64_t)in->pad);
    if (step->pool != NULL) {
        const int64_t pooled_row_bytes = (int64_t)out->shape.w * pool * pool * VGG_INT8_BLOCK;
        step->int8.rows = vgg_clamp((int)(POOLED_ROWS_BYTES / pooled_row_bytes), 1,
                                    vgg_ceil_div(out->shape.h, step->chunks));
        step->conv.slots = plan->threads;
        step->conv.slot_elements =
            (size_t)step->int8.rows * (size_t)pooled_row_bytes / sizeof(float);
    }
}

void vgg_int8_choose(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        const struct vgg_activation *out = &plan->activations[step->out];
        step->groups = 1;
        step->chunks = 1;
        switch (step->kind) {
        case VGG_STEP_CONV:
            choose_conv(plan, step);
            break;
        case VGG_STEP_QUANTIZE_INPUT:
            step->chunks = vgg_clamp(TASKS_PER_THREAD * plan->threads, 1, out->shape.h);
            break;
        case VGG_STEP_MAX_POOL:
            step->groups = out->blocks;
            step->chunks = vgg_clamp(vgg_ceil_div(TASKS_PER_THREAD * plan->threads, out->blocks), 1,
                                     out->shape.h);
            break;
        case VGG_STEP_AVG_POOL:
            step->groups = out->blocks;
            break;
        case VGG_STEP_LINEAR: {
            const int groups = vgg_ceil_div(out->shape.c, VGG_INT8_GROUP);
            const int64_t at_once = LINEAR_SLICE_BYTES / step->int8.weight_group_stride;
            step->groups = vgg_ceil_div(groups, vgg_clamp((int)at_once, LINEAR_STREAMS, groups));
            break;
        }
        default:
            break;
        }
    }
}

/* --- the small tensors ------------------------------------------------------------------------ */

/* Copies numbers of an int32 tensor and checks each; out is filled up with zeros. */
static vgg_status copy_integers(const struct vgg_plan *plan, const struct vgg_tensor *tensor,
                                int64_t most, int32_t *out, struct vgg_error *err)
{
    const int64_t count = vgg_tensor_get_count(tensor);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, (const char *)tensor->data + 4 * i, sizeof bits);
        const int32_t value = (int32_t)(tensor->swapped ? __builtin_bswap32(bits) : bits);
        if (value < -most || value > most) {
            return vgg_fail(err, VGG_ERR_FORMAT,
                            "%s: %s: expected integers up to %lld, so that no sum exceeds 32 bits, "
                            "found %d at element %lld",
                            plan->path, tensor->name, (long long)most, value, (long long)i);
        }
        out[i] = value;
    }
    return VGG_OK;
}

/* The factors from a layer's sums to what it makes: the same double arithmetic on every machine. */
static vgg_status make_scales(const struct vgg_plan *plan, const struct vgg_node *node, float *out,
                              struct vgg_error *err)
{
    const struct vgg_tensor *tensor = node->int8.weight_scale;
    const double made = node->int8.output_scale > 0 ? (double)node->int8.output_scale : 1;
    vgg_tensor_read_f32(tensor, out);
    for (int64_t i = 0; i < vgg_tensor_get_count(tensor); i++) {
        const double scale = (double)node->int8.input_scale * (double)out[i] / made;
        /* In this form NaN is refused, too. */
        if (!(out[i] > 0 && scale >= (double)VGG_INT8_LEAST_SCALE &&
              scale <= (double)VGG_INT8_MOST_SCALE)) {
            return vgg_fail(
                err, VGG_ERR_FORMAT,
                "%s: %s: expected a factor from %g to %g between sums and results, found "
                "%g at element %lld",
                plan->path, tensor->name, (double)VGG_INT8_LEAST_SCALE, (double)VGG_INT8_MOST_SCALE,
                scale, (long long)i);
        }
        out[i] = (float)scale;
    }
    return VGG_OK;
}

static vgg_status load_layer(struct vgg_plan *plan, struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_node *node = step->node;
    const bool conv = node->op == VGG_OP_CONV2D;
    const struct vgg_tensor *weight = conv ? node->conv.weight : node->linear.weight;
    const struct vgg_tensor *bias = conv ? node->conv.bias : node->linear.bias;
    const int rows = conv ? node->conv.oc : node->linear.out_features;
    const size_t padded = (size_t)vgg_ceil_div(rows, VGG_INT8_GROUP) * VGG_INT8_GROUP;
    struct vgg_int8_step *int8 = &step->int8;
    int8->weight = weight->data;
    int8->bias = vgg_arena_alloc(&plan->arena, padded, sizeof *int8->bias);
    int8->weight_sum = vgg_arena_alloc(&plan->arena, padded, sizeof *int8->weight_sum);
    int8->scale = vgg_arena_alloc(&plan->arena, padded, sizeof *int8->scale);
    if (int8->bias == NULL || int8->weight_sum == NULL || int8->scale == NULL) {
        return vgg_fail_memory(err, plan->path, 3 * padded * sizeof *int8->bias, node->name);
    }
    plan->weight_bytes += 3 * padded * sizeof *int8->bias;
    const int64_t products = int8->weight_group_stride / VGG_INT8_GROUP;
    vgg_status status = copy_integers(plan, bias, VGG_INT8_MOST_BIAS, int8->bias, err);
    if (status == VGG_OK) {
        status = copy_integers(plan, node->int8.weight_sum, 128 * products, int8->weight_sum, err);
    }
    return status == VGG_OK ? make_scales(plan, node, int8->scale, err) : status;
}

vgg_status vgg_int8_load(struct vgg_plan *plan, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (int s = 0; s < plan->step_count && status == VGG_OK; s++) {
        struct vgg_step *step = &plan->steps[s];
        if (step->kind == VGG_STEP_CONV || step->kind == VGG_STEP_LINEAR) {
            status = load_layer(plan, step, err);
            step->linear_weight = step->kind == VGG_STEP_LINEAR ? step->int8.weight : NULL;
        }
    }
    return status;
}

/* --- in words --------------------------------------------------------------------------------- */

void vgg_int8_describe(const struct vgg_plan *plan, const struct vgg_step *step, char *algorithm,
                       size_t bytes, struct vgg_step_info *info)
{
    const bool weighs = step->kind == VGG_STEP_CONV || step->kind == VGG_STEP_LINEAR;
    snprintf(algorithm, bytes, weighs || step->in < 0 ? "int8 %s" : "int8", plan->int8->isa);
    if (!weighs) {
        return;
    }
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    const double groups = vgg_ceil_div(out->shape.c, VGG_INT8_GROUP);
    double pixels = 1, products = (double)in->shape.c;
    if (step->kind == VGG_STEP_CONV) {
        const struct vgg_conv2d *conv = &step->node->conv;
        const int pool = step->pool != NULL ? step->pool->max_pool.kernel : 1;
        pixels = (double)out->shape.h * out->shape.w * pool * pool;
        products *= (double)conv->kernel * conv->kernel;
    }
    info->weight_bytes = (uint64_t)(groups * (double)step->int8.weight_group_stride);
    info->multiply_adds = plan->batch * pixels * products * out->shape.c;
    info->products = plan->batch * pixels * (double)info->weight_bytes;
}
