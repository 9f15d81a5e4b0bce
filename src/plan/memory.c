/* Activations in one slab. In a chain only a step's input and output live at the same time, so even
 * activations start at the slab's beginning and odd ones end at its end: the slab is as large as the
 * largest pair of neighbours, and no two that live together touch. */
#include "plan/plan.h"

/* Strides and size of an activation; false when a size overflows. */
static bool measure(struct vgg_activation *a, int batch)
{
    size_t row, plane, picture, total;
    if (!vgg_size_mul((size_t)a->shape.w + 2 * (size_t)a->pad, (size_t)a->lanes, &row) ||
        !vgg_size_mul((size_t)a->shape.h + 2 * (size_t)a->pad, row, &plane) ||
        !vgg_size_mul(plane, (size_t)a->blocks, &picture) || picture > SIZE_MAX / 2) {
        return false;
    }
    /* Whole cache lines: each picture is aligned, and features can be read by whole vectors. */
    picture = vgg_size_round_up(picture, VGG_ALIGN_BYTES / sizeof(float));
    if (!vgg_size_mul(picture, (size_t)batch * sizeof(float), &total) || total > PTRDIFF_MAX / 2) {
        return false;
    }
    a->row_stride = (ptrdiff_t)row;
    a->block_stride = (ptrdiff_t)plane;
    a->n_stride = (ptrdiff_t)picture;
    a->bytes = total;
    return true;
}

/* Bytes of the largest step's scratch; lay_out in cost.c has checked the product. */
static size_t measure_scratch(const struct vgg_plan *plan)
{
    size_t most = 0;
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_conv_choice *conv = &plan->steps[s].conv;
        const size_t bytes = (size_t)conv->slots * conv->slot_elements * sizeof(float);
        most = bytes > most ? bytes : most;
    }
    return most;
}

vgg_status vgg_plan_place(struct vgg_plan *plan, struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(plan->arena.context);
    size_t slab = 0, report = 0, total;
    for (int i = 0; i < plan->activation_count; i++) {
        struct vgg_activation *a = &plan->activations[i];
        if (!measure(a, plan->batch)) {
            goto too_large;
        }
        size_t pair = a->bytes + (i > 0 ? plan->activations[i - 1].bytes : 0);
        slab = pair > slab ? pair : slab;
        report = a->bytes > report ? a->bytes : report;
    }
    const size_t scratch = measure_scratch(plan);
    if (!vgg_size_add(slab, scratch, &total) || total > plan->activation_limit) {
        goto too_large;
    }
    plan->slab_bytes = slab;
    plan->slab = vgg_aligned_alloc(allocator, slab);
    if (plan->slab == NULL) {
        return vgg_fail_memory(err, plan->path, slab, "activations");
    }
    for (int i = 0; i < plan->activation_count; i++) {
        struct vgg_activation *a = &plan->activations[i];
        a->offset_bytes = i % 2 == 0 ? 0 : slab - a->bytes;
        a->data = (float *)(void *)(plan->slab + a->offset_bytes) + a->pad * a->row_stride +
                  a->pad * a->lanes;
    }
    plan->scratch_bytes = scratch;
    plan->scratch = vgg_aligned_alloc(allocator, scratch);
    if (plan->scratch == NULL) {
        return vgg_fail_memory(err, plan->path, scratch, "transformed activations");
    }
    if (plan->on_node != NULL) {
        plan->report = vgg_aligned_alloc(allocator, report);
        if (plan->report == NULL) {
            return vgg_fail_memory(err, plan->path, report, "reported activations");
        }
    }
    return VGG_OK;
too_large:
    return vgg_fail(
        err, VGG_ERR_LIMIT,
        "%s: a batch of %d pictures of %d x %d pixels needs more memory for activations "
        "than the limit of %llu MB",
        plan->path, plan->batch, plan->input.w, plan->input.h,
        (unsigned long long)(plan->activation_limit >> 20));
}
