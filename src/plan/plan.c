/* SPDX-License-Identifier: MIT */
/* Building and freeing a plan. */
#include "plan/plan.h"

#include "kernels/dispatch.h"
#include "plan/describe.h"
#include "plan/f32/partition.h"
#include "plan/f32/prepack.h"
#include "plan/int8/int8_build.h"
#include "plan/memory.h"
#include "plan/steps.h"

/* All stages except the prepacking of weights. */
static vgg_status build(struct vgg_plan *plan, const struct vgg_node *nodes, size_t node_count,
                        struct vgg_error *err)
{
    vgg_status status = vgg_plan_make_steps(plan, nodes, node_count, err);
    if (status == VGG_OK) {
        status = vgg_plan_size_activations(plan, err);
    }
    if (status == VGG_OK) {
        if (plan->options.int8 != NULL) {
            vgg_int8_partition(plan);
        } else {
            vgg_f32_partition(plan);
            vgg_plan_size_weights(plan);
        }
        status = vgg_plan_lay_out(plan, err);
    }
    return status == VGG_OK ? vgg_plan_describe(plan, err) : status;
}

vgg_status vgg_plan_create(const struct vgg_node *nodes, size_t node_count, const char *path,
                           const struct vgg_plan_options *options, struct vgg_pool *pool,
                           struct vgg_plan **out, struct vgg_error *err)
{
    *out = NULL;
    const struct vgg_allocator *allocator = vgg_allocator_of(options->context);
    struct vgg_plan *plan = vgg_mem_alloc_cleared(allocator, 1, sizeof *plan);
    if (plan == NULL) {
        return vgg_fail_memory(err, path, sizeof *plan, "the plan");
    }
    plan->options = *options;
    plan->options.one_shot = options->one_shot || options->low_memory;
    plan->options.threads = vgg_pool_get_threads(pool);
    plan->path = path;
    plan->arena.context = options->context;
    plan->packer =
        options->lay_out_only
            ? vgg_kernels_find_packer(options->kernels->lanes * options->kernels->conv_blocks)
            : options->kernels;
    vgg_status status = build(plan, nodes, node_count, err);
    if (status == VGG_OK) {
        status =
            options->int8 != NULL ? vgg_int8_load(plan, err) : vgg_plan_prepack(plan, pool, err);
    }
    if (status != VGG_OK) {
        vgg_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return VGG_OK;
}

void vgg_plan_destroy(struct vgg_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    const struct vgg_allocator *allocator = vgg_allocator_of(plan->arena.context);
    for (int s = 0; s < plan->step_count; s++) {
        vgg_step_drop_weights(plan, &plan->steps[s]);
        vgg_step_free_vectors(plan, &plan->steps[s]);
    }
    vgg_arena_destroy(&plan->arena);
    vgg_mem_free(allocator, plan);
}
