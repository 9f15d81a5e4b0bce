/* SPDX-License-Identifier: MIT */
/* Running a plan, step by step. The memory of all steps is one slab (memory.c), and running allocates nothing. */
#include "plan/executor.h"

#include <string.h>

#include "base/clock.h"
#include "plan/activation.h"
#include "plan/f32/run_step.h"
#include "plan/int8/int8_run.h"

static float *at(const struct vgg_executor *executor, size_t offset_bytes)
{
    return (float *)(void *)(executor->slab + offset_bytes);
}

/* Sets all addresses in the slab. Returns the bytes of the largest activation as float32. */
static size_t place(struct vgg_executor *executor)
{
    const struct vgg_plan *plan = executor->plan;
    size_t largest = 0;
    for (int i = 0; i < plan->activation_count; i++) {
        struct vgg_activation *a = &executor->activations[i];
        *a = plan->activations[i];
        if (a->bytes > 0) {
            a->data_bytes = executor->slab + a->offset_bytes +
                            (a->pad * a->row_stride + a->pad * a->lanes) * a->element_bytes;
        }
        const size_t floats = a->bytes / (size_t)a->element_bytes * sizeof(float);
        largest = floats > largest ? floats : largest;
    }
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_workspace *workspace = &plan->steps[s].workspace;
        struct vgg_step_state *state = &executor->states[s];
        state->scratch = at(executor, workspace->scratch_offset);
        state->rows = at(executor, workspace->rows_offset);
        state->weight = at(executor, workspace->weight_offset);
    }
    return largest;
}

static vgg_status allocate(struct vgg_executor *executor, struct vgg_error *err)
{
    const struct vgg_plan *plan = executor->plan;
    const struct vgg_allocator *allocator = vgg_allocator_of(plan->options.context);
    executor->activations = vgg_mem_alloc_cleared(allocator, (size_t)plan->activation_count,
                                                  sizeof *executor->activations);
    executor->states =
        vgg_mem_alloc_cleared(allocator, (size_t)plan->step_count, sizeof *executor->states);
    if (executor->activations == NULL || executor->states == NULL) {
        return vgg_fail_memory(err, plan->path, (size_t)plan->step_count * sizeof *executor->states,
                               "the plan");
    }
    /* Huge pages gain nothing before the second run, and can take long to allocate. */
    executor->slab = plan->options.one_shot ? vgg_aligned_alloc(allocator, plan->slab_bytes)
                                            : vgg_huge_alloc(allocator, plan->slab_bytes);
    if (executor->slab == NULL) {
        return vgg_fail_memory(err, plan->path, plan->slab_bytes, "activations");
    }
    const size_t report = place(executor);
    if (executor->listener.on_node != NULL) {
        executor->report = vgg_aligned_alloc(allocator, report);
        if (executor->report == NULL) {
            return vgg_fail_memory(err, plan->path, report, "reported activations");
        }
    }
    return VGG_OK;
}

vgg_status vgg_executor_create(const struct vgg_plan *plan, struct vgg_pool *pool,
                               const struct vgg_node_listener *listener, struct vgg_executor **out,
                               struct vgg_error *err)
{
    struct vgg_executor *executor =
        vgg_mem_alloc_cleared(vgg_allocator_of(plan->options.context), 1, sizeof *executor);
    *out = NULL;
    if (executor == NULL) {
        return vgg_fail_memory(err, plan->path, sizeof *executor, "the plan");
    }
    *executor = (struct vgg_executor){.plan = plan, .pool = pool};
    if (listener != NULL) {
        executor->listener = *listener;
    }
    const vgg_status status = allocate(executor, err);
    if (status != VGG_OK) {
        vgg_executor_destroy(executor);
        return status;
    }
    *out = executor;
    return VGG_OK;
}

void vgg_executor_destroy(struct vgg_executor *executor)
{
    if (executor != NULL) {
        const struct vgg_allocator *allocator = vgg_allocator_of(executor->plan->options.context);
        vgg_mem_free(allocator, executor->activations);
        vgg_mem_free(allocator, executor->states);
        vgg_mem_free(allocator, executor->slab);
        vgg_mem_free(allocator, executor->report);
        vgg_mem_free(allocator, executor);
    }
}

/* Passes a node's output to on_node. */
static void report_node(const struct vgg_executor *executor, const struct vgg_step *step)
{
    const struct vgg_activation *out = &executor->activations[step->out];
    const size_t elements = (size_t)out->shape.c * (size_t)out->shape.h * (size_t)out->shape.w;
    for (int n = 0; n < executor->count; n++) {
        float *nchw = executor->report + (size_t)n * elements;
        if (out->element_bytes == 1) {
            vgg_int8_to_nchw(executor->plan, out, n, nchw);
        } else {
            vgg_activation_to_nchw(out, n, nchw);
        }
    }
    const int64_t shape[4] = {executor->count, out->shape.c, out->shape.h, out->shape.w};
    const bool features = out->lanes == 1;
    executor->listener.on_node(executor->listener.user, step->last->name, shape, features ? 2 : 4,
                               executor->report);
}

static void run_step(struct vgg_executor *executor, const struct vgg_step *step)
{
    struct vgg_step_state *state = vgg_executor_get_state(executor, step);
    const uint64_t start = vgg_now_ns();
    state->prepack_ns = 0;
    state->inputs = state->nonzero_inputs = state->read_bytes = 0;
    if (executor->plan->options.int8 != NULL) {
        vgg_int8_run_step(executor, step);
    } else {
        vgg_f32_run_step(executor, step);
    }
    state->last_ns = vgg_now_ns() - start - state->prepack_ns;
    if (executor->listener.on_node != NULL && step->last != NULL) {
        report_node(executor, step);
    }
}

void vgg_executor_run(struct vgg_executor *executor, const float *input, int count, float *logits)
{
    const struct vgg_plan *plan = executor->plan;
    executor->input = input;
    executor->count = count;
    for (int s = 0; s < plan->step_count; s++) {
        run_step(executor, &plan->steps[s]);
    }
    const struct vgg_activation *out = &executor->activations[plan->activation_count - 1];
    for (int n = 0; n < count; n++) {
        memcpy(logits + (size_t)n * (size_t)plan->class_count, out->data + n * out->n_stride,
               (size_t)plan->class_count * sizeof *logits);
    }
}
