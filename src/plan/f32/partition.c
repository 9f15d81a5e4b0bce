/* SPDX-License-Identifier: MIT */
/* Cuts the work of each step into tasks: small enough that their data stay in the caches and all threads have work. No cut
 * changes a bit of the result. */
#include "plan/f32/partition.h"

#include "base/arith.h"
#include "plan/f32/general.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/sparse_linear.h"
#include "plan/task.h"

enum {
    /* Input rows of a convolution's chunk. Together with a group's weights they fill half of a second-level cache of
     * 2 MiB. */
    INPUT_ROWS_BYTES = 768 * 1024,
    /* Padded input rows of a chunk of the first convolution. They stay in the first-level cache beside all weights. */
    PADDED_ROWS_BYTES = 24 * 1024,
    /* Weights of a linear layer's task. */
    LINEAR_SLICE_BYTES = 1 << 20,
};

static void partition_conv(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    const size_t row_bytes = (size_t)in->row_stride * (size_t)in->blocks * sizeof(float);
    const size_t input_bytes = row_bytes * (size_t)(in->shape.h + 2 * in->pad);
    const size_t weight_bytes = (size_t)in->shape.c * (size_t)out->shape.c * (size_t)conv->kernel *
                                (size_t)conv->kernel * sizeof(float);
    const int rows = (int)(INPUT_ROWS_BYTES / (row_bytes > 0 ? row_bytes : 1));
    const int chunks = vgg_ceil_div(out->shape.h, vgg_clamp(rows, 1, out->shape.h));
    const int groups = vgg_ceil_div(out->blocks, plan->options.kernels->conv_blocks);
    step->cut = (struct vgg_cut){
        .groups = groups,
        .chunks = vgg_cut_rows(plan, out->shape.h, chunks, (int64_t)groups * plan->options.batch),
        .groups_first = weight_bytes > input_bytes,
    };
}

/* Sets the scratch for the padded input rows of a chunk.
 *   row  floats of a row */
static void size_padded_rows(const struct vgg_plan *plan, struct vgg_step *step, size_t row)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const int h = plan->activations[step->out].shape.h;
    const size_t rows = (size_t)vgg_ceil_div(h, step->cut.chunks);
    const size_t window = (rows - 1) * (size_t)conv->stride + (size_t)conv->kernel;
    size_t elements;
    const bool fits = vgg_size_mul(window, row, &elements) && elements < SIZE_MAX / 2;
    step->scratch = (struct vgg_scratch){
        .slots = plan->options.threads,
        .slot_elements =
            fits ? vgg_size_round_up(elements, VGG_ALIGN_BYTES / sizeof(float)) : SIZE_MAX,
    };
}

/* A task of the first convolution copies the input rows of a chunk, adds padding, and computes all groups. */
static void partition_first_conv(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_activation *out = &plan->activations[step->out];
    const struct vgg_shape in = plan->options.input;
    const size_t row = ((size_t)in.w + 2 * (size_t)conv->padding) * (size_t)in.c;
    const size_t fitting = PADDED_ROWS_BYTES / (row * sizeof(float));
    const int rows = fitting > (size_t)conv->kernel
                         ? (int)(fitting - (size_t)conv->kernel) / conv->stride + 1
                         : 1;
    const int chunks = vgg_ceil_div(out->shape.h, rows);
    step->cut.groups = vgg_ceil_div(out->blocks, plan->options.kernels->conv_blocks);
    step->cut.chunks = vgg_cut_rows(plan, out->shape.h, chunks, plan->options.batch);
    size_padded_rows(plan, step, row);
}

/* Each task of a fully connected layer computes a slice of its rows. */
static void partition_linear(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    if (vgg_is_column_major(linear.weight)) {
        step->cut.groups = vgg_sparse_linear_count_groups(step, plan->options.threads);
        return;
    }
    const size_t row_bytes = linear.features * sizeof(float);
    const int fitting = vgg_clamp((int)(LINEAR_SLICE_BYTES / row_bytes), 1, linear.rows);
    const int tiles = vgg_ceil_div(fitting, plan->options.kernels->linear_rows);
    step->cut.groups = vgg_ceil_div(linear.rows, tiles * plan->options.kernels->linear_rows);
}

void vgg_f32_partition(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        const struct vgg_activation *out = &plan->activations[step->out];
        step->cut.groups = out->blocks;
        step->cut.chunks = 1;
        switch (step->kind) {
        case VGG_STEP_DIRECT_CONV:
        case VGG_STEP_WINOGRAD_CONV:
            if (step->in == 0) {
                partition_first_conv(plan, step);
            } else {
                partition_conv(plan, step);
            }
            break;
        case VGG_STEP_LRN:
        case VGG_STEP_MAX_POOL:
            step->cut.chunks = vgg_cut_rows(plan, out->shape.h, 1, out->blocks);
            break;
        case VGG_STEP_FLATTEN:
            step->cut.groups = 1;
            break;
        case VGG_STEP_RELU:
            /* Features are one row. */
            step->cut.groups = out->lanes == 1 ? 1 : out->blocks;
            break;
        case VGG_STEP_SCALE_SHIFT:
            /* Each block has its own scales. */
            step->cut.groups = vgg_ceil_div(out->shape.c, plan->options.kernels->lanes);
            break;
        case VGG_STEP_LINEAR:
        case VGG_STEP_DENSE:
            partition_linear(plan, step);
            break;
        default:
            vgg_general_partition(plan, step);
            break;
        }
    }
}
