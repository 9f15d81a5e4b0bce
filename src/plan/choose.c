/* How the work of each step is cut into tasks: big enough to keep the caches busy, small enough to
 * keep all threads busy. The cut never changes a bit of the result. */
#include "plan/plan.h"

enum {
    INPUT_ROWS_BYTES =
        768 * 1024,               /* of a convolution's chunk: with a group's weights, half an L2 */
    LINEAR_SLICE_BYTES = 1 << 20, /* of weights a task */
    TASKS_PER_THREAD = 4,         /* so that no thread waits long for the last one */
};

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void choose_conv(const struct vgg_plan *plan, struct vgg_step *step, int threads)
{
    const struct vgg_activation *in = &plan->activations[step->in];
    const struct vgg_activation *out = &plan->activations[step->out];
    size_t row_bytes = (size_t)in->row_stride * (size_t)in->blocks * sizeof(float);
    size_t input_bytes = row_bytes * (size_t)(in->shape.h + 2 * in->pad);
    size_t weight_bytes = (size_t)in->shape.c * (size_t)out->shape.c *
                          (size_t)step->node->conv.kernel * (size_t)step->node->conv.kernel *
                          sizeof(float);
    step->groups = vgg_ceil_div(out->blocks, plan->kernels->conv_blocks);
    int rows = (int)(INPUT_ROWS_BYTES / (row_bytes > 0 ? row_bytes : 1));
    int chunks = vgg_ceil_div(out->shape.h, clamp(rows, 1, out->shape.h));
    int wanted = vgg_ceil_div(TASKS_PER_THREAD * threads, step->groups * plan->batch);
    step->chunks = clamp(chunks > wanted ? chunks : wanted, 1, out->shape.h);
    step->groups_first = weight_bytes > input_bytes;
}

/* Slices of a fully connected layer's rows, one a task. */
static int count_slices(const struct vgg_plan *plan, int in_features, int rows)
{
    const size_t row_bytes = (size_t)in_features * sizeof(float);
    const int fitting = clamp((int)(LINEAR_SLICE_BYTES / row_bytes), 1, rows);
    const int tiles = vgg_ceil_div(fitting, plan->kernels->linear_rows);
    return vgg_ceil_div(rows, tiles * plan->kernels->linear_rows);
}

void vgg_plan_choose(struct vgg_plan *plan, int threads)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        const struct vgg_activation *out = &plan->activations[step->out];
        step->groups = out->blocks;
        step->chunks = 1;
        switch (step->kind) {
        case VGG_STEP_CONV:
            choose_conv(plan, step, threads);
            break;
        case VGG_STEP_LRN:
        case VGG_STEP_MAX_POOL:
            step->chunks =
                clamp(vgg_ceil_div(TASKS_PER_THREAD * threads, out->blocks), 1, out->shape.h);
            break;
        case VGG_STEP_FLATTEN:
            step->groups = 1;
            break;
        case VGG_STEP_RELU:
            step->groups = out->lanes == 1 ? 1 : out->blocks; /* features are one row */
            break;
        case VGG_STEP_LINEAR:
            step->groups = count_slices(plan, step->node->linear.in_features, out->shape.c);
            break;
        case VGG_STEP_DENSE: {
            const struct vgg_conv2d *conv = &step->node->conv;
            step->groups = count_slices(plan, conv->ic * conv->kernel * conv->kernel, conv->oc);
            break;
        }
        default:
            break;
        }
    }
}
