/* Building and freeing a plan. */
#include "plan/plan.h"

#include "kernels/dispatch.h"
#include "plan/describe.h"
#include "plan/f32/fuse.h"
#include "plan/f32/partition.h"
#include "plan/f32/prepack.h"
#include "plan/int8/int8_build.h"
#include "plan/memory.h"

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
    plan->path = path;
    plan->arena.context = options->context;
    plan->kernels = options->kernels;
    plan->int8 = options->int8;
    if (options->int8 != NULL) {
        plan->grid = *options->grid;
    }
    plan->packer = options->lay_out_only
                       ? vgg_kernels_find_packer(plan->kernels->lanes * plan->kernels->conv_blocks)
                       : plan->kernels;
    plan->lay_out_only = options->lay_out_only;
    plan->batch = options->batch;
    plan->conv = options->conv;
    plan->form = options->form;
    plan->one_shot = options->one_shot || options->low_memory;
    plan->low_memory = options->low_memory;
    plan->threads = vgg_pool_get_threads(pool);
    plan->input = options->input;
    plan->activation_limit = options->activation_bytes;
    plan->assumed_input = options->assumed_input;
    plan->on_node = options->on_node;
    plan->on_node_user = options->on_node_user;
    const bool int8 = options->int8 != NULL;
    vgg_status status = (int8 ? vgg_int8_fuse : vgg_plan_fuse)(plan, nodes, node_count, err);
    if (status == VGG_OK) {
        status = vgg_plan_measure(plan, err);
    }
    if (status == VGG_OK) {
        if (int8) {
            vgg_int8_choose(plan);
        } else {
            vgg_plan_choose(plan, plan->threads);
            vgg_plan_measure_weights(plan);
        }
        status = vgg_plan_place(plan, err);
    }
    if (status == VGG_OK) {
        status = vgg_plan_describe(plan, err);
    }
    if (status == VGG_OK) {
        status = int8 ? vgg_int8_load(plan, err) : vgg_plan_pack(plan, pool, err);
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
        if (!plan->one_shot) {
            vgg_mem_free(allocator, plan->steps[s].weight);
        }
        vgg_mem_free(allocator, plan->steps[s].bias);
        vgg_mem_free(allocator, plan->steps[s].scale);
    }
    vgg_mem_free(allocator, plan->slab);
    vgg_mem_free(allocator, plan->report);
    vgg_arena_destroy(&plan->arena);
    vgg_mem_free(allocator, plan);
}
