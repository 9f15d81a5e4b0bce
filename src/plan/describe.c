/* What each step is and does, in words and figures, for those who want to see the plan. */
#include "plan/describe.h"

#include <stdio.h>
#include <string.h>

#include "plan/f32/linear_weights.h"
#include "plan/int8/int8_build.h"
#include "plan/memory.h"

/* "Conv2d + BatchNorm2d + ReLU": the classes of the nodes from first to last. */
static void name_nodes(const struct vgg_step *step, char *text, size_t bytes)
{
    if (step->node == NULL) {
        snprintf(text, bytes, "input");
        return;
    }
    size_t used = 0;
    for (const struct vgg_node *node = step->node; node <= step->last && used < bytes; node++) {
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", node == step->node ? "" : " + ",
                                 vgg_node_type(node));
    }
}

static void name_algorithm(const struct vgg_plan *plan, const struct vgg_step *step, char *text,
                           size_t bytes)
{
    const char *stored = step->conv.stored != NULL ? ", in place" : "";
    text[0] = '\0';
    if (step->kind == VGG_STEP_LINEAR || step->kind == VGG_STEP_DENSE) {
        const struct vgg_tensor *weight = vgg_linear_view(step).weight;
        const bool in_place = vgg_linear_is_in_place(step);
        const bool halves = in_place && weight->dtype != VGG_DTYPE_F32;
        snprintf(text, bytes, "%s%s%s",
                 vgg_is_in_columns(weight) ? "columns"
                 : in_place                ? "in place"
                 : plan->one_shot          ? "read by slices"
                                           : "float32 copy",
                 halves ? ", " : "", halves ? vgg_dtype_string(weight->dtype) : "");
    } else if (step->kind != VGG_STEP_CONV) {
        return;
    } else if (step->conv.algorithm == VGG_DIRECT) {
        snprintf(text, bytes, "direct%s", stored);
    } else if (step->conv.algorithm == VGG_WINOGRAD_TILES) {
        snprintf(text, bytes, "F(%d) by tiles of %d%s", step->conv.m, step->conv.block, stored);
    } else {
        snprintf(text, bytes, "F(%d) by frequency%s", step->conv.m, stored);
    }
}

static uint64_t bytes_of(const struct vgg_plan *plan, const struct vgg_activation *a)
{
    return (uint64_t)((double)plan->batch * a->shape.c * a->shape.h * a->shape.w *
                      a->element_bytes);
}

/* Multiply-adds of the definition, and those that the chosen algorithm does. */
static void count(const struct vgg_plan *plan, const struct vgg_step *step,
                  struct vgg_step_info *info)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    const double batch = plan->batch;
    if (step->kind == VGG_STEP_LINEAR || step->kind == VGG_STEP_DENSE) {
        const struct vgg_linear_view linear = vgg_linear_view(step);
        const size_t rows = (size_t)linear.rows;
        info->multiply_adds =
            batch * out->shape.h * out->shape.w * linear.rows * (double)linear.features;
        info->products = info->multiply_adds;
        const size_t elements = vgg_is_in_columns(linear.weight)
                                    ? vgg_columns_elements(rows, linear.features)
                                    : rows * linear.features;
        info->weight_bytes =
            elements * (vgg_linear_is_in_place(step) ? vgg_dtype_get_bytes(linear.weight->dtype)
                                                     : sizeof(float));
    } else if (step->kind == VGG_STEP_CONV) {
        const struct vgg_conv2d *conv = &step->node->conv;
        const double area = (double)conv->kernel * conv->kernel;
        /* Of the convolution itself: a pool may follow in the same step. */
        const double h = (in->shape.h + 2 * conv->padding - conv->kernel) / conv->stride + 1;
        const double w = (in->shape.w + 2 * conv->padding - conv->kernel) / conv->stride + 1;
        const double ic = in->lanes == 1 ? conv->ic : (double)in->blocks * in->lanes;
        const double oc = (double)step->groups * plan->kernels->conv_blocks * plan->kernels->lanes;
        info->multiply_adds = batch * h * w * area * conv->ic * conv->oc;
        info->products = batch * h * w * area * ic * oc;
        if (step->conv.algorithm != VGG_DIRECT) {
            const double f = (step->conv.m + 2.0) * (step->conv.m + 2.0);
            info->products = batch * step->conv.tiles_h * step->conv.tiles_w * f * ic * oc;
            info->weight_bytes = (uint64_t)(f * ic * oc) * sizeof(float);
        } else {
            info->weight_bytes = (uint64_t)(area * ic * oc) * sizeof(float);
        }
    }
}

vgg_status vgg_plan_describe(struct vgg_plan *plan, struct vgg_error *err)
{
    plan->info = vgg_arena_alloc(&plan->arena, (size_t)plan->step_count, sizeof *plan->info);
    if (plan->info == NULL) {
        return vgg_fail_memory(err, plan->path, (size_t)plan->step_count * sizeof *plan->info,
                               "the plan");
    }
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_step *step = &plan->steps[s];
        struct vgg_step_info *info = &plan->info[s];
        char nodes[256], algorithm[64];
        name_nodes(step, nodes, sizeof nodes);
        *info = (struct vgg_step_info){0};
        if (plan->int8 != NULL) {
            vgg_int8_describe(plan, step, algorithm, sizeof algorithm, info);
        } else {
            name_algorithm(plan, step, algorithm, sizeof algorithm);
            count(plan, step, info);
        }
        info->name = step->node != NULL ? step->node->name : "input";
        info->nodes = vgg_arena_copy_string(&plan->arena, nodes, strlen(nodes));
        info->algorithm = vgg_arena_copy_string(&plan->arena, algorithm, strlen(algorithm));
        info->reason = step->kind == VGG_STEP_CONV && plan->int8 == NULL ? step->conv.reason : "";
        info->predicted_ms = step->conv.predicted_ms;
        if (info->nodes == NULL || info->algorithm == NULL || info->reason == NULL) {
            return vgg_fail_memory(err, plan->path, sizeof nodes, "the plan");
        }
        const struct vgg_activation *out = &plan->activations[step->out];
        info->output_bytes = bytes_of(plan, out);
        info->kept_bytes = plan->one_shot ? 0 : step->weight_elements * sizeof(float);
        info->scratch_bytes = vgg_step_get_middle(plan, step);
        info->input_bytes =
            step->in >= 0 ? bytes_of(plan, &plan->activations[step->in]) : info->output_bytes;
    }
    return VGG_OK;
}
