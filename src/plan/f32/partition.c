/* SPDX-License-Identifier: MIT */
/* How the work of each step is cut into tasks: big enough to keep the caches busy, small enough to
 * keep all threads busy. The cut never changes a bit of the result. */
#include "plan/f32/partition.h"

#include "base/arith.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/sparse_linear.h"

enum {
    /* Input rows of a convolution's chunk: with a group's weights, half of a second-level cache of 2 MiB. */
    INPUT_ROWS_BYTES = 768 * 1024,
    /* Padded input rows of the first convolution's chunk: they stay in the first-level cache beside all weights. */
    PADDED_ROWS_BYTES = 24 * 1024,
    /* Weights of a linear layer's task. */
    LINEAR_SLICE_BYTES = 1 << 20,
    /* So that no thread waits long for the last one. */
    TASKS_PER_THREAD = 4,
};

static void partition_conv(const struct vgg_plan *plan, struct vgg_step *step, int threads)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    size_t row_bytes = (size_t)in->row_stride * (size_t)in->blocks * sizeof(float);
    size_t input_bytes = row_bytes * (size_t)(in->shape.h + 2 * in->pad);
    size_t weight_bytes = (size_t)in->shape.c * (size_t)out->shape.c *
                          (size_t)step->node->conv.kernel * (size_t)step->node->conv.kernel *
                          sizeof(float);
    step->cut.groups = vgg_ceil_div(out->blocks, plan->options.kernels->conv_blocks);
    int rows = (int)(INPUT_ROWS_BYTES / (row_bytes > 0 ? row_bytes : 1));
    int chunks = vgg_ceil_div(out->shape.h, vgg_clamp(rows, 1, out->shape.h));
    int wanted = vgg_ceil_div(TASKS_PER_THREAD * threads, step->cut.groups * plan->options.batch);
    step->cut.chunks = vgg_clamp(chunks > wanted ? chunks : wanted, 1, out->shape.h);
    step->cut.groups_first = weight_bytes > input_bytes;
}

/* The first convolution's tasks compute all groups of a chunk, from rows that they copy with padding. */
static void partition_first_conv(const struct vgg_plan *plan, struct vgg_step *step, int threads)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_shape in = plan->options.input;
    const int h = plan->activations[step->out].shape.h;
    const size_t row = ((size_t)in.w + 2 * (size_t)conv->padding) * (size_t)in.c;
    const size_t fitting = PADDED_ROWS_BYTES / (row * sizeof(float));
    const int rows = fitting > (size_t)conv->kernel
                         ? (int)(fitting - (size_t)conv->kernel) / conv->stride + 1
                         : 1;
    const int wanted = vgg_ceil_div(TASKS_PER_THREAD * threads, plan->options.batch);
    const int chunks = vgg_ceil_div(h, rows);
    step->cut.groups =
        vgg_ceil_div(plan->activations[step->out].blocks, plan->options.kernels->conv_blocks);
    step->cut.chunks = vgg_clamp(chunks > wanted ? chunks : wanted, 1, h);
    const size_t rows_of_chunk = (size_t)vgg_ceil_div(h, step->cut.chunks);
    const size_t window = (rows_of_chunk - 1) * (size_t)conv->stride + (size_t)conv->kernel;
    step->scratch.slots = threads;
    size_t elements;
    const bool fits = vgg_size_mul(window, row, &elements) && elements < SIZE_MAX / 2;
    step->scratch.slot_elements =
        fits ? vgg_size_round_up(elements, VGG_ALIGN_BYTES / sizeof(float)) : SIZE_MAX;
}

/* Slices of a fully connected layer's rows, one a task. */
static void partition_linear(const struct vgg_plan *plan, struct vgg_step *step, int threads)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    if (vgg_is_column_major(linear.weight)) {
        step->cut.groups = vgg_sparse_linear_count_groups(step, threads);
        return;
    }
    const size_t row_bytes = linear.features * sizeof(float);
    const int fitting = vgg_clamp((int)(LINEAR_SLICE_BYTES / row_bytes), 1, linear.rows);
    const int tiles = vgg_ceil_div(fitting, plan->options.kernels->linear_rows);
    step->cut.groups = vgg_ceil_div(linear.rows, tiles * plan->options.kernels->linear_rows);
}

void vgg_f32_partition(struct vgg_plan *plan)
{
    const int threads = plan->options.threads;
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        const struct vgg_activation *out = &plan->activations[step->out];
        step->cut.groups = out->blocks;
        step->cut.chunks = 1;
        switch (step->kind) {
        case VGG_STEP_DIRECT_CONV:
        case VGG_STEP_WINOGRAD_CONV:
            if (step->in == 0) {
                partition_first_conv(plan, step, threads);
            } else {
                partition_conv(plan, step, threads);
            }
            break;
        case VGG_STEP_LRN:
        case VGG_STEP_MAX_POOL:
            step->cut.chunks =
                vgg_clamp(vgg_ceil_div(TASKS_PER_THREAD * threads, out->blocks), 1, out->shape.h);
            break;
        case VGG_STEP_FLATTEN:
            step->cut.groups = 1;
            break;
        case VGG_STEP_RELU:
            step->cut.groups = out->lanes == 1 ? 1 : out->blocks; /* features are one row */
            break;
        case VGG_STEP_SCALE_SHIFT: /* each block has numbers of its own */
            step->cut.groups = vgg_ceil_div(out->shape.c, plan->options.kernels->lanes);
            break;
        case VGG_STEP_LINEAR:
        case VGG_STEP_DENSE:
            partition_linear(plan, step, threads);
            break;
        default:
            break;
        }
    }
}
