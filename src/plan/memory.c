/* SPDX-License-Identifier: MIT */
/* The layout of all memory of a run, which is one slab. In a chain only a step's input and output live at the same time,
 * so activations with even numbers begin at the slab's beginning, and those with odd numbers end at its end. Between the
 * two lies the step's workspace: scratch, the weights that a one-shot plan prepacks for the step, and the rows that it
 * reads them into. The slab is as large as the largest step needs, and nothing that lives at the same time overlaps. */
#include "plan/memory.h"

#include "plan/activation.h"

/* Sets the strides and the size of an activation; false when a size overflows. */
static bool size_activation(struct vgg_activation *a, int batch)
{
    size_t row, plane, image, total;
    if (!vgg_size_mul((size_t)a->shape.w + 2 * (size_t)a->pad, (size_t)a->lanes, &row) ||
        !vgg_size_mul((size_t)a->shape.h + 2 * (size_t)a->pad, row, &plane) ||
        !vgg_size_mul(plane, (size_t)a->blocks, &image) || image > SIZE_MAX / 2) {
        return false;
    }
    /* Whole cache lines, so that each image is aligned and features can be read as whole vectors. */
    const size_t element_bytes = (size_t)a->element_bytes;
    image = vgg_size_round_up(image, VGG_ALIGN_BYTES / element_bytes);
    if (!vgg_size_mul(image, (size_t)batch * element_bytes, &total) || total > PTRDIFF_MAX / 2) {
        return false;
    }
    a->row_stride = (ptrdiff_t)row;
    a->block_stride = (ptrdiff_t)plane;
    a->n_stride = (ptrdiff_t)image;
    a->bytes = total;
    return true;
}

static vgg_status too_large(const struct vgg_plan *plan, struct vgg_error *err)
{
    return vgg_fail_hint(
        err, VGG_ERR_LIMIT, plan->options.size_unasked ? VGG_HINT_SIZE : VGG_HINT_NONE,
        "%s: a batch of %d images of %d x %d pixels needs more memory for activations "
        "than the limit of %llu MB%s",
        plan->path, plan->options.batch, plan->options.input.w, plan->options.input.h,
        (unsigned long long)(plan->options.activation_bytes >> 20),
        plan->options.size_unasked
            ? " for a size that nobody asked for: it is stated by the file, or assumed"
            : "");
}

vgg_status vgg_plan_size_activations(struct vgg_plan *plan, struct vgg_error *err)
{
    vgg_plan_set_padding(plan);
    for (int i = 0; i < plan->activation_count; i++) {
        if (!size_activation(&plan->activations[i], plan->options.batch)) {
            return too_large(plan, err);
        }
    }
    if (plan->options.int8 == NULL) {
        /* The input is in the caller's memory, image after image. */
        struct vgg_activation *input = &plan->activations[0];
        input->n_stride = input->block_stride * input->blocks;
        input->bytes = 0;
    }
    return VGG_OK;
}

/* Sets the sizes of a step's workspace; false on overflow. Only one-shot plans prepack weights while they run. */
static bool size_workspace(const struct vgg_plan *plan, struct vgg_step *step)
{
    const bool prepacks = plan->options.one_shot && vgg_step_has_weights(step);
    const size_t weights = prepacks ? step->weights.elements : 0;
    const size_t rows_elements = prepacks ? step->weights.rows_elements : 0;
    size_t scratch, rows;
    if (!vgg_size_mul(step->scratch.slot_elements, (size_t)step->scratch.slots * sizeof(float),
                      &scratch) ||
        !vgg_size_mul(rows_elements, (size_t)plan->options.threads * sizeof(float), &rows) ||
        weights > SIZE_MAX / 4 / sizeof(float) || rows > SIZE_MAX / 4 || scratch > SIZE_MAX / 4) {
        return false;
    }
    step->workspace = (struct vgg_workspace){
        .scratch_bytes = vgg_size_round_up(scratch, VGG_ALIGN_BYTES),
        .rows_bytes = vgg_size_round_up(rows, VGG_ALIGN_BYTES),
        .weight_bytes = vgg_size_round_up(weights * sizeof(float), VGG_ALIGN_BYTES),
    };
    return true;
}

/* Returns the bytes of a step's input and output together.
 *   begin  receives the bytes of the one at the slab's beginning */
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

/* Places a step's workspace, and enlarges the slab if necessary; false when activations and scratch exceed the limit. */
static bool place_workspace(struct vgg_plan *plan, struct vgg_step *step)
{
    size_t begin, used, total;
    struct vgg_workspace *w = &step->workspace;
    if (!size_workspace(plan, step) ||
        !vgg_size_add(get_pair(plan, step, &begin), w->scratch_bytes, &used) ||
        used > plan->options.activation_bytes ||
        !vgg_size_add(used, w->weight_bytes + w->rows_bytes, &total)) {
        return false;
    }
    w->scratch_offset = begin;
    w->rows_offset = begin + w->scratch_bytes;
    w->weight_offset = w->rows_offset + w->rows_bytes;
    plan->slab_bytes = total > plan->slab_bytes ? total : plan->slab_bytes;
    return true;
}

vgg_status vgg_plan_lay_out(struct vgg_plan *plan, struct vgg_error *err)
{
    for (int s = 0; s < plan->step_count; s++) {
        if (!place_workspace(plan, &plan->steps[s])) {
            return too_large(plan, err);
        }
    }
    for (int i = 0; i < plan->activation_count; i++) {
        struct vgg_activation *a = &plan->activations[i];
        a->offset_bytes = i % 2 == 0 ? 0 : plan->slab_bytes - a->bytes;
    }
    return VGG_OK;
}
