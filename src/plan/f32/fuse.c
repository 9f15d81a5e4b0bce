/* From nodes to steps: what is computed together, and in which layout each result is kept. */
#include "plan/f32/fuse.h"

#include "base/arith.h"
#include "plan/activation.h"
#include "plan/f32/choose_conv.h"
#include "plan/f32/dense_linear.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/memory_budget.h"
#include "plan/f32/prepacked.h"
#include "plan/f32/sparse_linear.h"

static const struct vgg_node *node_at(const struct vgg_node *nodes, size_t count, size_t i)
{
    return i < count ? &nodes[i] : NULL;
}

static bool is(const struct vgg_node *node, enum vgg_op op)
{
    return node != NULL && node->op == op;
}

/* Sets shape, layout and strides of the next activation; returns its index. */
static int add_activation(struct vgg_plan *plan, struct vgg_shape shape, int lanes)
{
    struct vgg_activation *a = &plan->activations[plan->activation_count];
    *a = (struct vgg_activation){.shape = shape, .lanes = lanes, .element_bytes = sizeof(float)};
    a->blocks = vgg_ceil_div(shape.c, lanes);
    return plan->activation_count++;
}

static vgg_status refuse(const struct vgg_plan *plan, const struct vgg_node *node, const char *why,
                         struct vgg_error *err)
{
    return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: %s (%s): %s", plan->path, node->name,
                    vgg_node_type(node), why);
}

static enum vgg_step_kind kind_of(enum vgg_op op)
{
    switch (op) {
    case VGG_OP_CONV2D:
        return VGG_STEP_CONV;
    case VGG_OP_BATCH_NORM:
        return VGG_STEP_BATCH_NORM;
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
    case VGG_OP_DROPOUT:
        return VGG_STEP_IDENTITY;
    }
    return VGG_STEP_IDENTITY;
}

/* The pool that VGG has everywhere: windows of 2 × 2 side by side, which never straddle tiles. */
static bool is_small_pool(const struct vgg_node *node)
{
    return is(node, VGG_OP_MAX_POOL) && node->max_pool.kernel == 2 && node->max_pool.stride == 2;
}

/* Whether a BatchNorm goes into the step's weights: those in columns are never copied. */
static bool can_fold(const struct vgg_step *step)
{
    return step->kind == VGG_STEP_CONV ||
           ((step->kind == VGG_STEP_LINEAR || step->kind == VGG_STEP_DENSE) &&
            !vgg_is_in_columns(vgg_linear_view(step).weight));
}

/* Fills the step that starts at nodes[i]; returns how many nodes it takes, 0 for a convolution without weights
 * that could be read.
 *   floor_bytes  of a plan for low memory */
static size_t make_step(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count, size_t i,
                        struct vgg_shape in, double floor_bytes, struct vgg_step *step)
{
    const struct vgg_node *node = &nodes[i];
    size_t taken = 1;
    *step = (struct vgg_step){.kind = kind_of(node->op), .node = node};
    if (step->kind == VGG_STEP_CONV && node->conv.dense) {
        step->kind = VGG_STEP_DENSE;
        vgg_dense_choose(plan, &node->conv, in, &step->conv);
    } else if (step->kind == VGG_STEP_LINEAR && vgg_is_in_columns(node->linear.weight)) {
        step->conv = (struct vgg_conv_choice){
            .slots = 1,
            .slot_elements = vgg_columns_count_scratch(node->linear.in_features, plan->batch)};
    } else if (step->kind == VGG_STEP_CONV) {
        if (plan->low_memory) {
            vgg_plan_find_room(plan, nodes, count, i, in, floor_bytes);
        }
        if (!vgg_choose_conv(plan, &node->conv, in, i == 0, &step->conv)) {
            return 0;
        }
    }
    if (plan->on_node == NULL) {
        if (can_fold(step) && is(node_at(nodes, count, i + taken), VGG_OP_BATCH_NORM)) {
            step->norm = &nodes[i + taken++];
        }
        if ((is(node, VGG_OP_CONV2D) || is(node, VGG_OP_LINEAR)) &&
            is(node_at(nodes, count, i + taken), VGG_OP_RELU)) {
            step->relu = true;
            taken++;
        }
        if (step->kind == VGG_STEP_CONV && step->conv.algorithm != VGG_DIRECT &&
            is_small_pool(node_at(nodes, count, i + taken))) {
            step->pool = &nodes[i + taken++];
        }
        if (is(node, VGG_OP_ADAPTIVE_AVG_POOL) && node->avg_pool.oh == in.h &&
            node->avg_pool.ow == in.w) {
            step->kind = VGG_STEP_IDENTITY; /* windows of one pixel */
        }
    }
    step->last = &nodes[i + taken - 1];
    return taken;
}

vgg_status vgg_plan_fuse(struct vgg_plan *plan, const struct vgg_node *nodes, size_t node_count,
                         struct vgg_error *err)
{
    const int lanes = plan->kernels->lanes;
    if (!is(node_at(nodes, node_count, 0), VGG_OP_CONV2D) || nodes[0].conv.dense) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a convolution as the first layer",
                        plan->path);
    }
    /* At most one step a node, the input, and one activation a step. */
    plan->steps = vgg_arena_alloc(&plan->arena, node_count, sizeof *plan->steps);
    plan->activations = vgg_arena_alloc(&plan->arena, node_count + 1, sizeof *plan->activations);
    if (plan->steps == NULL || plan->activations == NULL) {
        return vgg_fail_memory(err, plan->path, node_count * sizeof *plan->steps, "the plan");
    }
    struct vgg_shape shape = plan->input;
    const double floor_bytes = plan->low_memory ? vgg_plan_find_floor(plan, nodes, node_count) : 0;
    int current = add_activation(plan, shape, 1);
    for (size_t i = 0; i < node_count;) {
        struct vgg_step *step = &plan->steps[plan->step_count++];
        size_t taken = make_step(plan, nodes, node_count, i, shape, floor_bytes, step);
        if (taken == 0) {
            return vgg_fail_not_stored(plan, step->node, i == 0, err);
        }
        if (step->kind == VGG_STEP_LRN && step->node->lrn.size > VGG_LRN_MOST) {
            return refuse(plan, step->node, "windows of more than 255 channels are not supported",
                          err);
        }
        for (size_t n = 0; n < taken; n++) {
            vgg_status status = vgg_node_infer_shape(&nodes[i + n], shape, &shape, plan->path, err);
            if (status != VGG_OK) {
                return status;
            }
        }
        step->in = current;
        bool blocked = plan->activations[current].lanes == lanes;
        bool needs_blocks = step->kind == VGG_STEP_MAX_POOL || step->kind == VGG_STEP_AVG_POOL ||
                            step->kind == VGG_STEP_DENSE || step->kind == VGG_STEP_LRN ||
                            (step->kind == VGG_STEP_BATCH_NORM && !step->node->norm.flat);
        if ((needs_blocks && !blocked) || (is(step->node, VGG_OP_LINEAR) && blocked && lanes > 1) ||
            (step->kind == VGG_STEP_CONV && !blocked && i > 0)) {
            return refuse(plan, step->node, "not expected at this place of a VGG", err);
        }
        if (step->kind == VGG_STEP_IDENTITY) {
            step->out = current;
        } else {
            bool planar =
                step->kind == VGG_STEP_FLATTEN || step->kind == VGG_STEP_LINEAR ||
                ((step->kind == VGG_STEP_RELU || step->kind == VGG_STEP_BATCH_NORM) && !blocked);
            current = add_activation(plan, shape, planar ? 1 : lanes);
            step->out = current;
        }
        i += taken;
    }
    if (plan->activations[current].lanes != 1 || shape.h != 1 || shape.w != 1) {
        return refuse(plan, &nodes[node_count - 1], "expected a classifier at the end", err);
    }
    plan->class_count = shape.c;
    vgg_plan_frame(plan);
    plan->activations[0].pad = 0; /* the caller's input has none, see run.c */
    return VGG_OK;
}
