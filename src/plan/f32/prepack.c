/* SPDX-License-Identifier: MIT */
/* Prepacked weights: the order in which kernels read them.
 *
 * Convolution, for each group of G = conv_blocks * L output channels (see kernels.h):
 *     prepacked[group][ic / B][kh][kw][ic % B][G]     B = L, or all channels when the input is NCHW
 * with BatchNorm folded in double precision:
 *     w' = w * s,  b' = (b - mean) * s + beta,  s = gamma / sqrt(var + eps)
 * Weights of channels beyond the real ones are zeros, so that these channels' activations are zeros, too. Winograd's
 * filters are transformed, see winograd_conv.c.
 *
 * Fully connected weights are read in place, in the file's pages, unless a type other than float32 and those of 16 bits,
 * byte order, strides or a BatchNorm make a float32 copy necessary.
 *
 * Packed files may contain convolutions' prepacked weights, which are also read in place.
 *
 * Usually weights are prepacked when the plan is built. In a one-shot plan each run prepacks the weights of each step just
 * before the step, into memory that the steps share, because touching new memory costs more than anything else. */
#include "plan/f32/prepack.h"

#include "base/arith.h"
#include "base/clock.h"
#include "model/graph/norm.h"
#include "plan/f32/general_conv.h"
#include "plan/f32/linear_weights.h"

static void *alloc_floats(const struct vgg_plan *plan, size_t count, size_t elements)
{
    size_t all, bytes;
    return vgg_size_mul(count, elements, &all) && vgg_size_mul(all, sizeof(float), &bytes)
               ? vgg_aligned_alloc(vgg_allocator_of(plan->options.context), bytes)
               : NULL;
}

static void free_floats(const struct vgg_plan *plan, float *floats)
{
    vgg_mem_free(vgg_allocator_of(plan->options.context), floats);
}

/* Allocates a bias or a scale, which counts as weights. */
static float *alloc_vector(struct vgg_plan *plan, size_t elements)
{
    float *vector = alloc_floats(plan, 1, elements);
    plan->weight_bytes += vector != NULL ? elements * sizeof *vector : 0;
    return vector;
}

/* --- biases ----------------------------------------------------------------------------------- */

struct bias {
    /* Or NULL. */
    const struct vgg_tensor *tensor;
    /* Channels of the layer, and those padded to whole groups. */
    size_t real, channels;
};

/* Sets the bias with BatchNorm folded in, and the BatchNorm's scale for the weights. */
static vgg_status make_bias(struct vgg_plan *plan, struct vgg_step *step, const struct bias *from,
                            struct vgg_error *err)
{
    struct vgg_folded_weights *weights = &step->weights;
    double *scale = NULL, *shift = NULL;
    float *bias;
    const struct vgg_load load = {.path = plan->path, .arena = &plan->arena, .err = err};
    vgg_status status = vgg_vector_read(&load, from->tensor, &bias);
    if (status == VGG_OK && weights->norm != NULL) {
        status = vgg_batch_norm_read(&load, &weights->norm->norm, &scale, &shift);
    }
    if (status != VGG_OK) {
        return status;
    }
    weights->norm_scale = scale;
    weights->bias = alloc_vector(plan, from->channels);
    if (weights->bias == NULL) {
        return vgg_fail_memory(err, plan->path, from->channels * sizeof(float), step->node->name);
    }
    for (size_t oc = 0; oc < from->channels; oc++) {
        const float b = oc < from->real && bias != NULL ? bias[oc] : 0;
        const bool folded = scale != NULL && oc < from->real;
        weights->bias[oc] = folded ? vgg_fold_bias((double)b, scale[oc], shift[oc]) : b;
    }
    return VGG_OK;
}

static vgg_status make_conv_bias(struct vgg_plan *plan, struct vgg_step *step,
                                 struct vgg_error *err)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_kernels *kernels = plan->options.kernels;
    const size_t group = (size_t)kernels->conv_blocks * (size_t)kernels->lanes;
    const struct bias bias = {conv->bias, (size_t)conv->oc, (size_t)step->cut.groups * group};
    return make_bias(plan, step, &bias, err);
}

static vgg_status make_general_conv_bias(struct vgg_plan *plan, struct vgg_step *step,
                                         struct vgg_error *err)
{
    const struct vgg_general_conv *conv = &step->node->general_conv;
    return make_bias(plan, step, &(struct bias){conv->bias, (size_t)conv->oc, (size_t)conv->oc},
                     err);
}

static vgg_status make_linear_bias(struct vgg_plan *plan, struct vgg_step *step,
                                   struct vgg_error *err)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    const struct bias bias = {linear.bias, (size_t)linear.rows, (size_t)linear.rows};
    return linear.bias != NULL || step->linear.weights.norm != NULL
               ? make_bias(plan, step, &bias, err)
               : VGG_OK;
}

/* Sets scale and shift of a BatchNorm that is a step of its own, padded to whole blocks. */
static vgg_status make_scale_shift(struct vgg_plan *plan, struct vgg_step *step,
                                   struct vgg_error *err)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    const size_t channels =
        vgg_size_round_up((size_t)out->shape.c, (size_t)plan->options.kernels->lanes);
    struct vgg_scale_shift_step *to = &step->scale_shift;
    const struct vgg_load load = {.path = plan->path, .arena = &plan->arena, .err = err};
    double *scale, *shift;
    vgg_status status = vgg_batch_norm_read(&load, &step->node->norm, &scale, &shift);
    if (status != VGG_OK) {
        return status;
    }
    to->scale = alloc_vector(plan, channels);
    to->shift = alloc_vector(plan, channels);
    if (to->scale == NULL || to->shift == NULL) {
        return vgg_fail_memory(err, plan->path, channels * sizeof(float), step->node->name);
    }
    for (size_t c = 0; c < channels; c++) {
        const bool real = c < (size_t)step->node->norm.channels;
        to->scale[c] = real ? (float)scale[c] : 0;
        to->shift[c] = real ? (float)shift[c] : 0;
    }
    return VGG_OK;
}

static vgg_status make_vectors(struct vgg_plan *plan, struct vgg_step *step, struct vgg_error *err)
{
    switch (step->kind) {
    case VGG_STEP_DIRECT_CONV:
    case VGG_STEP_WINOGRAD_CONV:
        return make_conv_bias(plan, step, err);
    case VGG_STEP_GENERAL_CONV:
        return make_general_conv_bias(plan, step, err);
    case VGG_STEP_LINEAR:
    case VGG_STEP_DENSE:
        return make_linear_bias(plan, step, err);
    case VGG_STEP_SCALE_SHIFT:
        return make_scale_shift(plan, step, err);
    default:
        return VGG_OK;
    }
}

/* --- weights ---------------------------------------------------------------------------------- */

void vgg_plan_size_weights(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        if (vgg_step_is_conv(step)) {
            vgg_conv_size_weights(plan, step);
        } else if (step->kind == VGG_STEP_GENERAL_CONV) {
            vgg_general_conv_size_weights(plan, step);
        } else if (vgg_step_is_linear(step)) {
            vgg_linear_size_weights(plan, step);
        }
    }
}

/* Prepacks all weights of a step. */
static void prepack(const struct vgg_prepack_job *job, struct vgg_pool *pool)
{
    if (vgg_step_is_conv(job->step)) {
        vgg_conv_prepack(job, pool);
    } else if (job->step->kind == VGG_STEP_GENERAL_CONV) {
        vgg_general_conv_prepack(job, pool);
    } else {
        vgg_linear_copy(job->step, pool, job->weight);
    }
}

vgg_status vgg_step_prepack(const struct vgg_plan *plan, struct vgg_step *step,
                            struct vgg_pool *pool, struct vgg_error *err)
{
    struct vgg_folded_weights *weights = &step->weights;
    if (!vgg_step_has_weights(step) || weights->elements == 0) {
        return VGG_OK;
    }
    const uint64_t start = vgg_now_ns();
    const size_t threads = (size_t)plan->options.threads;
    float *rows =
        weights->rows_elements > 0 ? alloc_floats(plan, threads, weights->rows_elements) : NULL;
    weights->data = alloc_floats(plan, 1, weights->elements);
    if (weights->data == NULL || (weights->rows_elements > 0 && rows == NULL)) {
        free_floats(plan, rows);
        return vgg_fail_memory(err, plan->path, weights->elements * sizeof(float),
                               step->node->name);
    }
    prepack(
        &(struct vgg_prepack_job){
            .plan = plan,
            .step = step,
            .groups = step->cut.groups,
            .weight = weights->data,
            .rows = rows,
        },
        pool);
    free_floats(plan, rows);
    step->prepack_ns = vgg_now_ns() - start;
    return VGG_OK;
}

void vgg_step_drop_weights(const struct vgg_plan *plan, struct vgg_step *step)
{
    if (vgg_step_has_weights(step)) {
        free_floats(plan, step->weights.data);
        step->weights.data = NULL;
    }
}

void vgg_step_free_vectors(const struct vgg_plan *plan, struct vgg_step *step)
{
    if (vgg_step_has_weights(step)) {
        free_floats(plan, step->weights.bias);
    } else if (step->kind == VGG_STEP_SCALE_SHIFT) {
        free_floats(plan, step->scale_shift.scale);
        free_floats(plan, step->scale_shift.shift);
    }
}

vgg_status vgg_plan_prepack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err)
{
    const bool in_advance = !plan->options.one_shot && !plan->options.lay_out_only;
    vgg_status status = VGG_OK;
    for (int s = 0; s < plan->step_count && status == VGG_OK; s++) {
        struct vgg_step *step = &plan->steps[s];
        status = make_vectors(plan, step, err);
        if (status == VGG_OK && in_advance && vgg_step_has_weights(step)) {
            status = vgg_step_prepack(plan, step, pool, err);
            plan->weight_bytes += step->weights.elements * sizeof(float);
        }
        if (vgg_step_is_linear(step)) {
            step->linear.in_place = vgg_linear_is_in_place(step)
                                        ? vgg_linear_view(step).weight->data
                                        : step->linear.weights.data;
        }
    }
    return status;
}

void vgg_conv_prepack_groups(struct vgg_executor *executor, const struct vgg_step *step,
                             int group_begin, int groups)
{
    const struct vgg_plan *plan = executor->plan;
    struct vgg_step_state *state = vgg_executor_get_state(executor, step);
    if (!plan->options.one_shot || step->conv.weights.elements == 0) {
        return;
    }
    const uint64_t start = vgg_now_ns();
    vgg_conv_prepack(
        &(struct vgg_prepack_job){
            .plan = plan,
            .step = step,
            .group_begin = group_begin,
            .groups = groups,
            .weight = state->weight,
            .rows = state->rows,
        },
        executor->pool);
    state->prepack_ns += vgg_now_ns() - start;
}

const float *vgg_conv_get_weights(const struct vgg_executor *executor, const struct vgg_step *step)
{
    const struct vgg_prepacked *prepacked = step->conv.prepacked;
    return prepacked != NULL                  ? prepacked->data
           : executor->plan->options.one_shot ? vgg_executor_get_state(executor, step)->weight
                                              : step->conv.weights.data;
}
