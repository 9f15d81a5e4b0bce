/* SPDX-License-Identifier: MIT */
/* Describes each step for vgg_session_get_step: its algorithm, its work and its memory. */
#include "plan/describe.h"

#include <stdio.h>
#include <string.h>

#include "plan/f32/general_conv.h"
#include "plan/f32/linear_weights.h"
#include "plan/int8/int8_build.h"

/* Joins the classes of the step's nodes: "Conv2d + BatchNorm2d + ReLU". */
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

static void name_linear(const struct vgg_plan *plan, const struct vgg_step *step, char *text,
                        size_t bytes)
{
    const struct vgg_tensor *weight = vgg_linear_view(step).weight;
    const bool in_place = vgg_linear_is_in_place(step);
    const bool halves = in_place && weight->dtype != VGG_DTYPE_F32;
    snprintf(text, bytes, "%s%s%s",
             vgg_is_column_major(weight) ? "column-major"
             : in_place                  ? "in place"
             : plan->options.one_shot    ? "read by slices"
                                         : "float32 copy",
             halves ? ", " : "", halves ? vgg_dtype_string(weight->dtype) : "");
}

static void name_conv(const struct vgg_step *step, char *text, size_t bytes)
{
    const struct vgg_winograd_conv_step *winograd = &step->winograd_conv;
    const char *where = step->conv.prepacked != NULL ? ", in place" : "";
    if (step->kind == VGG_STEP_DIRECT_CONV) {
        snprintf(text, bytes, "direct%s", where);
    } else if (winograd->algorithm == VGG_WINOGRAD_TILES) {
        snprintf(text, bytes, "F(%d) by tiles of %d%s", winograd->layout.m, winograd->layout.block,
                 where);
    } else {
        snprintf(text, bytes, "F(%d) by frequency%s", winograd->layout.m, where);
    }
}

static uint64_t bytes_of(const struct vgg_plan *plan, const struct vgg_activation *a)
{
    return (uint64_t)((double)plan->options.batch * a->shape.c * a->shape.h * a->shape.w *
                      a->element_bytes);
}

static void count_linear(const struct vgg_plan *plan, const struct vgg_step *step,
                         struct vgg_step_info *info)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    const struct vgg_linear_view linear = vgg_linear_view(step);
    const size_t rows = (size_t)linear.rows;
    const size_t elements = vgg_is_column_major(linear.weight)
                                ? vgg_columns_elements(rows, linear.features)
                                : rows * linear.features;
    const size_t element_bytes =
        vgg_linear_is_in_place(step) ? vgg_dtype_get_bytes(linear.weight->dtype) : sizeof(float);
    info->multiply_adds = (double)plan->options.batch * out->shape.h * out->shape.w * linear.rows *
                          (double)linear.features;
    info->products = info->multiply_adds;
    info->weight_bytes = elements * element_bytes;
}

static void count_conv(const struct vgg_plan *plan, const struct vgg_step *step,
                       struct vgg_step_info *info)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_kernels *kernels = plan->options.kernels;
    const struct vgg_conv2d *conv = &step->node->conv;
    const double batch = plan->options.batch, area = (double)conv->kernel * conv->kernel;
    /* Outputs of the convolution itself, because the step's output is smaller if a pool is fused. */
    const double h = (in->shape.h + 2 * conv->padding - conv->kernel) / conv->stride + 1;
    const double w = (in->shape.w + 2 * conv->padding - conv->kernel) / conv->stride + 1;
    const double ic = in->lanes == 1 ? conv->ic : (double)in->blocks * in->lanes;
    const double oc = (double)step->cut.groups * kernels->conv_blocks * kernels->lanes;
    info->multiply_adds = batch * h * w * area * conv->ic * conv->oc;
    if (step->kind == VGG_STEP_DIRECT_CONV) {
        info->products = batch * h * w * area * ic * oc;
        info->weight_bytes = (uint64_t)(area * ic * oc) * sizeof(float);
    } else {
        const struct vgg_winograd *winograd = &step->winograd_conv.layout;
        const double f = (winograd->m + 2.0) * (winograd->m + 2.0);
        info->products = batch * winograd->tiles_h * winograd->tiles_w * f * ic * oc;
        info->weight_bytes = (uint64_t)(f * ic * oc) * sizeof(float);
    }
}

/* Describes the algorithm, the multiply-adds of the layer's definition, and those of the algorithm. */
static void describe_work(const struct vgg_plan *plan, const struct vgg_step *step, char *algorithm,
                          size_t bytes, struct vgg_step_info *info)
{
    algorithm[0] = '\0';
    if (plan->options.int8 != NULL) {
        vgg_int8_describe(plan, step, algorithm, bytes, info);
    } else if (vgg_step_is_linear(step)) {
        name_linear(plan, step, algorithm, bytes);
        count_linear(plan, step, info);
        info->prepacked_bytes = step->linear.weights.elements * sizeof(float);
    } else if (step->kind == VGG_STEP_GENERAL_CONV) {
        vgg_general_conv_describe(plan, step, algorithm, bytes, info);
    } else if (vgg_step_is_conv(step)) {
        name_conv(step, algorithm, bytes);
        count_conv(plan, step, info);
        info->reason = step->conv.reason;
        info->predicted_ms = step->conv.predicted_ms;
        info->prepacked_bytes =
            plan->options.one_shot ? 0 : step->conv.weights.elements * sizeof(float);
    }
}

static vgg_status describe(struct vgg_plan *plan, const struct vgg_step *step,
                           struct vgg_step_info *info, struct vgg_error *err)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    const struct vgg_workspace *workspace = &step->workspace;
    char nodes[256], algorithm[64];
    *info = (struct vgg_step_info){.reason = ""};
    name_nodes(step, nodes, sizeof nodes);
    describe_work(plan, step, algorithm, sizeof algorithm, info);
    info->name = step->node != NULL ? step->node->name : "input";
    info->nodes = vgg_arena_copy_string(&plan->arena, nodes, strlen(nodes));
    info->algorithm = vgg_arena_copy_string(&plan->arena, algorithm, strlen(algorithm));
    if (info->nodes == NULL || info->algorithm == NULL || info->reason == NULL) {
        return vgg_fail_memory(err, plan->path, sizeof nodes, "the plan");
    }
    info->output_bytes = bytes_of(plan, out);
    info->input_bytes =
        step->in >= 0 ? bytes_of(plan, &plan->activations[step->in]) : info->output_bytes;
    info->scratch_bytes =
        workspace->scratch_bytes + workspace->rows_bytes + workspace->weight_bytes;
    return VGG_OK;
}

vgg_status vgg_plan_describe(struct vgg_plan *plan, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    plan->info = vgg_arena_alloc(&plan->arena, (size_t)plan->step_count, sizeof *plan->info);
    if (plan->info == NULL) {
        return vgg_fail_memory(err, plan->path, (size_t)plan->step_count * sizeof *plan->info,
                               "the plan");
    }
    for (int s = 0; s < plan->step_count && status == VGG_OK; s++) {
        status = describe(plan, &plan->steps[s], &plan->info[s], err);
    }
    return status;
}
