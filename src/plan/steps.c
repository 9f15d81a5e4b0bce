/* SPDX-License-Identifier: MIT */
/* Cuts the chain of nodes into steps: each step computes one or more nodes and produces one activation. Float32 nets
 * (f32/fuse.c) and int8 nets (int8/int8_build.c) differ in what is computed together, and in the layout of the result. */
#include "plan/steps.h"

#include "plan/activation.h"
#include "plan/f32/fuse.h"
#include "plan/int8/int8_build.h"
#include "plan/nodes.h"

/* At most one step a node, one for the input, and one activation a step. */
static vgg_status allocate(struct vgg_plan *plan, size_t node_count, struct vgg_error *err)
{
    plan->steps = vgg_arena_alloc(&plan->arena, node_count + 1, sizeof *plan->steps);
    plan->activations = vgg_arena_alloc(&plan->arena, node_count + 2, sizeof *plan->activations);
    return plan->steps != NULL && plan->activations != NULL
               ? VGG_OK
               : vgg_fail_memory(err, plan->path, node_count * sizeof *plan->steps, "the plan");
}

/* Copies what a pool or LRN needs while it runs. */
static void copy_parameters(struct vgg_step *step)
{
    if (step->kind == VGG_STEP_MAX_POOL) {
        step->max_pool = step->node->max_pool;
    } else if (step->kind == VGG_STEP_LRN) {
        step->lrn = step->node->lrn;
    }
}

/* Makes the step that begins at the chain's position, and moves the position past its nodes. */
static vgg_status make_step(struct vgg_plan *plan, struct vgg_chain *chain, struct vgg_step *step,
                            struct vgg_error *err)
{
    const bool int8 = plan->options.int8 != NULL;
    vgg_status status = (int8 ? vgg_int8_make_step : vgg_f32_make_step)(plan, chain, step, err);
    for (const struct vgg_node *node = step->node; status == VGG_OK && node <= step->last; node++) {
        status = vgg_node_infer_shape(node, chain->shape, &chain->shape, plan->path, err);
        chain->at++;
    }
    if (status == VGG_OK) {
        copy_parameters(step);
        status = (int8 ? vgg_int8_make_output : vgg_f32_make_output)(plan, step, chain->shape, err);
    }
    return status;
}

static vgg_status check_end(const struct vgg_plan *plan, const struct vgg_chain *chain,
                            const struct vgg_activation *last, struct vgg_error *err)
{
    const struct vgg_node *node = &chain->nodes[chain->count - 1];
    if (plan->options.int8 != NULL && last->element_bytes != sizeof(float)) {
        return vgg_plan_refuse(plan, node, "expected a linear layer at the end", err);
    }
    if (last->lanes != 1 || chain->shape.h != 1 || chain->shape.w != 1) {
        return vgg_plan_refuse(plan, node, "expected a classifier at the end", err);
    }
    return VGG_OK;
}

vgg_status vgg_plan_make_steps(struct vgg_plan *plan, const struct vgg_node *nodes, size_t count,
                               struct vgg_error *err)
{
    struct vgg_chain chain = {.nodes = nodes, .count = count, .shape = plan->options.input};
    const bool int8 = plan->options.int8 != NULL;
    if (count == 0 || (int8 && nodes[0].op != VGG_OP_CONV2D)) {
        return vgg_fail(err, VGG_ERR_UNSUPPORTED, "%s: expected a convolution as the first layer",
                        plan->path);
    }
    vgg_status status = allocate(plan, count, err);
    if (status == VGG_OK) {
        status = (int8 ? vgg_int8_make_input : vgg_f32_make_input)(plan, &nodes[0], err);
    }
    int current = plan->activation_count - 1;
    while (status == VGG_OK && chain.at < count) {
        struct vgg_step *step = &plan->steps[plan->step_count++];
        *step = (struct vgg_step){.node = &nodes[chain.at], .in = current, .out = current};
        status = make_step(plan, &chain, step, err);
        current = step->out;
    }
    if (status == VGG_OK) {
        status = check_end(plan, &chain, &plan->activations[current], err);
    }
    plan->class_count = chain.shape.c;
    return status;
}
