/* SPDX-License-Identifier: MIT */
/* Writes convolutions' weights as the plans of some instruction sets prepack them; this machine need not have those. */
#include "pack/prepacker.h"

#include "kernels/dispatch.h"
#include "plan/f32/prepack.h"
#include "plan/plan.h"

static struct vgg_step *find_step(struct vgg_plan *plan, const struct vgg_node *node)
{
    int s = 0;
    while (plan->steps[s].node != node) {
        s++;
    }
    return &plan->steps[s];
}

static bool are_equal(const struct vgg_order_info *a, const struct vgg_order_info *b)
{
    return a->order == b->order && a->m == b->m && a->group == b->group &&
           a->channels == b->channels;
}

/* Whether one of the first `count` plans reads a node's weights in this order. */
static bool is_written(const struct vgg_prepacker *prepacker, size_t count,
                       const struct vgg_node *node, const struct vgg_order_info *order)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        struct vgg_plan *plan = prepacker->plans[i];
        const struct vgg_order_info other = vgg_conv_get_order(plan, find_step(plan, node));
        found = are_equal(&other, order);
    }
    return found;
}

static void write_order(struct vgg_packed_writer *writer, const char *name,
                        const struct vgg_order_info *order, const struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_prepacked *in_file = step->conv.prepacked;
    const int64_t shape[] = {conv->oc, conv->ic, conv->kernel, conv->kernel};
    uint64_t elements;
    vgg_prepacked_measure(order, shape, 4, &elements); /* the number that the step has */
    const struct vgg_packed_tensor tensor = {
        .name = name, .dtype = VGG_DTYPE_F32, .shape = shape, .ndim = 4};
    vgg_packed_begin_prepacked(writer, &tensor, order);
    vgg_packed_add(writer, in_file != NULL ? in_file->data : step->conv.weights.data,
                   (size_t)elements);
    vgg_packed_end_tensor(writer);
}

vgg_status vgg_prepacker_write(const struct vgg_prepacker *prepacker, const struct vgg_node *node,
                               const char *name, struct vgg_packed_writer *writer,
                               struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < prepacker->count && status == VGG_OK; i++) {
        struct vgg_plan *plan = prepacker->plans[i];
        struct vgg_step *step = find_step(plan, node);
        const struct vgg_order_info order = vgg_conv_get_order(plan, step);
        if (!is_written(prepacker, i, node, &order)) {
            status = vgg_step_prepack(plan, step, prepacker->pool, err);
            if (status == VGG_OK) {
                write_order(writer, name, &order, step);
            }
            vgg_step_drop_weights(plan, step);
        }
    }
    return status;
}

/* Adds a plan for one instruction set, for one image at a time. */
static vgg_status add_plan(struct vgg_prepacker *prepacker, const struct vgg_model_view *model,
                           enum vgg_isa isa, struct vgg_error *err)
{
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    const struct vgg_plan_options options = {
        .context = model->context,
        .kernels = vgg_kernels_describe(isa),
        .batch = 1,
        .lay_out_only = true,
        .input = model->input,
        .activation_bytes = limits.activation_bytes,
    };
    const struct vgg_net net = {model->nodes, model->node_count, model->path};
    vgg_status status =
        vgg_plan_create(&net, &options, prepacker->pool, &prepacker->plans[prepacker->count], err);
    prepacker->count += status == VGG_OK;
    return status;
}

vgg_status vgg_prepacker_open(struct vgg_prepacker *prepacker, const struct vgg_model_view *model,
                              uint32_t isas, struct vgg_error *err)
{
    /* Those with most padding first: sets with vectors of the same width can read their order. */
    static const enum vgg_isa order[] = {VGG_ISA_AMX, VGG_ISA_AVX512, VGG_ISA_AVX2, VGG_ISA_NEON,
                                         VGG_ISA_SCALAR};
    uint32_t left = isas;
    vgg_status status = VGG_OK;
    *prepacker = (struct vgg_prepacker){0};
    if (isas != 0) {
        status = vgg_pool_create(vgg_cpu_count(), model->context, &prepacker->pool, err);
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0] && status == VGG_OK; i++) {
        if ((left & 1u << order[i]) != 0) {
            left &= ~(1u << order[i]);
            status = add_plan(prepacker, model, order[i], err);
        }
    }
    if (status == VGG_OK && left != 0) {
        status = vgg_fail(err, VGG_ERR_ARGUMENT,
                          "vgg_model_pack: expected known instruction sets, got 0x%x", isas);
    }
    if (status != VGG_OK) {
        vgg_prepacker_close(prepacker);
    }
    return status;
}

void vgg_prepacker_close(struct vgg_prepacker *prepacker)
{
    for (size_t i = 0; i < prepacker->count; i++) {
        vgg_plan_destroy(prepacker->plans[i]);
    }
    vgg_pool_destroy(prepacker->pool);
}
