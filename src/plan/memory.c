/* All memory of a run in one slab. In a chain only a step's input and output live at the same time, so even
 * activations start at the slab's beginning and odd ones end at its end. Between the two lies what the step
 * needs for itself: Winograd's scratch, the weights that a one-shot plan packs for it, and what it reads
 * them into. The slab is as large as the most that a step needs, and no two that live together touch. */
#include "plan/memory.h"

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
    const size_t element_bytes = (size_t)a->element_bytes;
    picture = vgg_size_round_up(picture, VGG_ALIGN_BYTES / element_bytes);
    if (!vgg_size_mul(picture, (size_t)batch * element_bytes, &total) || total > PTRDIFF_MAX / 2) {
        return false;
    }
    a->row_stride = (ptrdiff_t)row;
    a->block_stride = (ptrdiff_t)plane;
    a->n_stride = (ptrdiff_t)picture;
    a->bytes = total;
    return true;
}

static vgg_status too_large(const struct vgg_plan *plan, struct vgg_error *err)
{
    return vgg_fail_hint(
        err, VGG_ERR_LIMIT, plan->assumed_input ? VGG_HINT_SIZE : VGG_HINT_NONE,
        "%s: a batch of %d pictures of %d x %d pixels needs more memory for activations "
        "than the limit of %llu MB%s",
        plan->path, plan->batch, plan->input.w, plan->input.h,
        (unsigned long long)(plan->activation_limit >> 20),
        plan->assumed_input ? "; the size is only assumed, from the net's pools" : "");
}

vgg_status vgg_plan_measure(struct vgg_plan *plan, struct vgg_error *err)
{
    for (int i = 0; i < plan->activation_count; i++) {
        if (!measure(&plan->activations[i], plan->batch)) {
            return too_large(plan, err);
        }
    }
    if (plan->int8 == NULL) {
        /* The input lies where the caller has it, picture after picture. */
        struct vgg_activation *input = &plan->activations[0];
        input->n_stride = input->block_stride * input->blocks;
        input->bytes = 0;
    }
    return VGG_OK;
}

/* What a step keeps between its input and its output; sizes in bytes, whole cache lines. */
struct middle {
    size_t scratch, weight, rows;
};

/* False on overflow. */
static bool measure_middle(const struct vgg_plan *plan, const struct vgg_step *step,
                           struct middle *out)
{
    const size_t weights = plan->one_shot ? step->weight_elements : 0;
    size_t scratch, rows;
    *out = (struct middle){0};
    if (!vgg_size_mul(step->conv.slot_elements, (size_t)step->conv.slots * sizeof(float),
                      &scratch) ||
        !vgg_size_mul(step->rows_elements, (size_t)plan->threads * sizeof(float), &rows) ||
        weights > SIZE_MAX / 4 / sizeof(float) || rows > SIZE_MAX / 4 || scratch > SIZE_MAX / 4) {
        return false;
    }
    out->scratch = vgg_size_round_up(scratch, VGG_ALIGN_BYTES);
    out->rows = vgg_size_round_up(rows, VGG_ALIGN_BYTES);
    out->weight = vgg_size_round_up(weights * sizeof(float), VGG_ALIGN_BYTES);
    return true;
}

size_t vgg_step_get_middle(const struct vgg_plan *plan, const struct vgg_step *step)
{
    struct middle middle;
    return measure_middle(plan, step, &middle) ? middle.scratch + middle.weight + middle.rows : 0;
}

/* The bytes of a step's input and output, of which one lies at the slab's beginning. */
static size_t get_pair(const struct vgg_plan *plan, const struct vgg_step *step, size_t *begin)
{
    const size_t out = plan->activations[step->out].bytes;
    if (step->in < 0 || step->in == step->out) {
        *begin = step->out % 2 == 0 ? out : 0;
        return out;
    }
    const size_t in = plan->activations[step->in].bytes;
    *begin = step->out % 2 == 0 ? out : in;
    return in + out;
}

/* The slab's size; false when activations and scratch are beyond the limit. */
static bool measure_slab(struct vgg_plan *plan)
{
    size_t begin, used, total;
    struct middle middle;
    plan->slab_bytes = 0;
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_step *step = &plan->steps[s];
        if (!measure_middle(plan, step, &middle) ||
            !vgg_size_add(get_pair(plan, step, &begin), middle.scratch, &used) ||
            used > plan->activation_limit ||
            !vgg_size_add(used, middle.weight + middle.rows, &total)) {
            return false;
        }
        plan->slab_bytes = total > plan->slab_bytes ? total : plan->slab_bytes;
    }
    return true;
}

static float *at(const struct vgg_plan *plan, size_t offset_bytes)
{
    return (float *)(void *)(plan->slab + offset_bytes);
}

vgg_status vgg_plan_place(struct vgg_plan *plan, struct vgg_error *err)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(plan->arena.context);
    if (!measure_slab(plan)) {
        return too_large(plan, err);
    }
    /* Huge pages gain nothing before the second run, and can take long to get. */
    plan->slab = plan->one_shot ? vgg_aligned_alloc(allocator, plan->slab_bytes)
                                : vgg_huge_alloc(allocator, plan->slab_bytes);
    if (plan->slab == NULL) {
        return vgg_fail_memory(err, plan->path, plan->slab_bytes, "activations");
    }
    size_t report = 0;
    for (int i = 0; i < plan->activation_count; i++) {
        struct vgg_activation *a = &plan->activations[i];
        if (a->bytes == 0) {
            continue; /* the caller's */
        }
        a->offset_bytes = i % 2 == 0 ? 0 : plan->slab_bytes - a->bytes;
        a->data_bytes = plan->slab + a->offset_bytes +
                        (a->pad * a->row_stride + a->pad * a->lanes) * a->element_bytes;
        const size_t floats = a->bytes / (size_t)a->element_bytes * sizeof(float);
        report = floats > report ? floats : report;
    }
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        struct middle middle;
        size_t begin;
        get_pair(plan, step, &begin);
        measure_middle(plan, step, &middle);
        step->scratch = at(plan, begin);
        step->rows = at(plan, begin + middle.scratch);
        if (middle.weight > 0) {
            step->weight = at(plan, begin + middle.scratch + middle.rows);
        }
    }
    if (plan->on_node != NULL) {
        plan->report = vgg_aligned_alloc(allocator, report);
        if (plan->report == NULL) {
            return vgg_fail_memory(err, plan->path, report, "reported activations");
        }
    }
    return VGG_OK;
}
