/* Running a plan, step by step. Nothing is allocated. */
#include "plan/run.h"

#include <string.h>

#include "base/clock.h"
#include "plan/activation.h"
#include "plan/f32/run_step.h"
#include "plan/int8/int8_run.h"

/* Hands a node's output to the plan's listener. */
static void report_node(const struct vgg_plan *plan, const struct vgg_step *step, int count)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    const size_t elements = (size_t)out->shape.c * (size_t)out->shape.h * (size_t)out->shape.w;
    for (int n = 0; n < count; n++) {
        float *planar = plan->report + (size_t)n * elements;
        if (out->element_bytes == 1) {
            vgg_int8_to_planar(plan, out, n, planar);
        } else {
            vgg_activation_to_planar(out, n, planar);
        }
    }
    const int64_t shape[4] = {count, out->shape.c, out->shape.h, out->shape.w};
    const bool features = out->lanes == 1;
    plan->on_node(plan->on_node_user, step->last->name, shape, features ? 2 : 4, plan->report);
}

void vgg_plan_run(struct vgg_plan *plan, struct vgg_pool *pool, const float *input, int count,
                  float *logits)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        const uint64_t start = vgg_now_ns();
        step->prepare_ns = plan->one_shot ? 0 : step->prepare_ns;
        step->inputs = step->nonzero_inputs = step->read_bytes = 0;
        if (plan->int8 != NULL) {
            vgg_int8_run_step(plan, pool, step, input, count);
        } else {
            vgg_f32_run_step(plan, pool, step, input, count);
        }
        step->last_ns = vgg_now_ns() - start - (plan->one_shot ? step->prepare_ns : 0);
        if (plan->on_node != NULL && step->last != NULL) {
            report_node(plan, step, count);
        }
    }
    const struct vgg_activation *out = &plan->activations[plan->activation_count - 1];
    for (int n = 0; n < count; n++) {
        memcpy(logits + (size_t)n * (size_t)plan->class_count, out->data + n * out->n_stride,
               (size_t)plan->class_count * sizeof *logits);
    }
}
