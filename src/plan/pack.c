/* Weights in kernel order.
 *
 * Convolution, for each group of G = conv_blocks * L output channels (see kernels.h):
 *     packed[group][ic / B][kh][kw][ic % B][G]        B = L, or all channels when the input is planar
 * with BatchNorm folded in double precision:
 *     w' = w * s,  b' = (b - mean) * s + beta,  s = gamma / sqrt(var + eps)
 * Channels past the last one are zeros, so that their activations are zeros too.
 *
 * Fully connected weights stay where they are, in the file's pages, unless their type or strides make a
 * float32 copy necessary. */
#include <math.h>
#include <string.h>

#include "plan/plan.h"

/* The float32 values of a vector [count], or NULL for an absent one. */
static vgg_status read_vector(struct vgg_plan *plan, const struct vgg_tensor *tensor, float **out,
                              struct vgg_error *err)
{
    *out = NULL;
    if (tensor == NULL) {
        return VGG_OK;
    }
    size_t count = (size_t)vgg_tensor_get_count(tensor);
    *out = vgg_arena_alloc(&plan->arena, count, sizeof **out);
    if (*out == NULL) {
        return vgg_fail_memory(err, plan->path, count * sizeof **out, tensor->name);
    }
    vgg_tensor_read_f32(tensor, *out);
    return VGG_OK;
}

/* A BatchNorm as scale and shift, [channels] each, in the plan's arena. */
static vgg_status read_norm(struct vgg_plan *plan, const struct vgg_batch_norm *norm,
                            double **scale, double **shift, struct vgg_error *err)
{
    size_t count = (size_t)norm->channels;
    float *gamma, *beta, *mean, *var;
    vgg_status status = read_vector(plan, norm->weight, &gamma, err);
    status = status ? status : read_vector(plan, norm->bias, &beta, err);
    status = status ? status : read_vector(plan, norm->running_mean, &mean, err);
    status = status ? status : read_vector(plan, norm->running_var, &var, err);
    if (status != VGG_OK) {
        return status;
    }
    *scale = vgg_arena_alloc(&plan->arena, count, sizeof **scale);
    *shift = vgg_arena_alloc(&plan->arena, count, sizeof **shift);
    if (*scale == NULL || *shift == NULL) {
        return vgg_fail_memory(err, plan->path, count * sizeof **scale, "BatchNorm");
    }
    for (size_t c = 0; c < count; c++) {
        (*scale)[c] = (gamma != NULL ? (double)gamma[c] : 1.0) / sqrt((double)var[c] + norm->eps);
        (*shift)[c] = (beta != NULL ? (double)beta[c] : 0.0) - (double)mean[c] * (*scale)[c];
    }
    return VGG_OK;
}

static void *alloc_weights(struct vgg_plan *plan, size_t elements)
{
    const struct vgg_allocator *allocator = vgg_allocator_of(plan->arena.context);
    size_t bytes;
    void *block =
        vgg_size_mul(elements, sizeof(float), &bytes) ? vgg_aligned_alloc(allocator, bytes) : NULL;
    if (block != NULL) {
        plan->weight_bytes += bytes;
    }
    return block;
}

/* tensor[index] along its first dimension. */
static struct vgg_tensor slice_of(const struct vgg_tensor *tensor, size_t index)
{
    struct vgg_tensor slice = *tensor;
    const size_t offset = index * (size_t)tensor->stride[0] * vgg_dtype_get_bytes(tensor->dtype);
    slice.data = (const char *)tensor->data + offset;
    slice.ndim = tensor->ndim - 1;
    for (int d = 0; d < slice.ndim; d++) {
        slice.shape[d] = tensor->shape[d + 1];
        slice.stride[d] = tensor->stride[d + 1];
    }
    return slice;
}

struct pack_conv {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    const double *scale; /* [oc], or NULL: no BatchNorm */
    int group_channels;  /* G */
    int ic_block;        /* B */
    float *scratch;      /* [slots][rows][ic * kernel * kernel] */
    size_t scratch_rows; /* 1; G for Winograd */
    size_t slots;        /* one a group, or one a thread where there are fewer threads */
};

static float *scratch_of(const struct pack_conv *pack, size_t group, int worker)
{
    const struct vgg_conv2d *conv = &pack->step->node->conv;
    const size_t sums = (size_t)conv->ic * (size_t)conv->kernel * (size_t)conv->kernel;
    const size_t slot = pack->slots == (size_t)pack->step->groups ? group : (size_t)worker;
    return pack->scratch + slot * pack->scratch_rows * sums;
}

/* One output channel's weights [ic][kh][kw], times its BatchNorm's scale. */
static void read_filter(const struct pack_conv *pack, size_t oc, float *row)
{
    const struct vgg_conv2d *conv = &pack->step->node->conv;
    const size_t sums = (size_t)conv->ic * (size_t)conv->kernel * (size_t)conv->kernel;
    const struct vgg_tensor slice = slice_of(conv->weight, oc);
    vgg_tensor_read_f32(&slice, row);
    if (pack->scale != NULL) {
        const double scale = pack->scale[oc];
        for (size_t i = 0; i < sums; i++) {
            row[i] = (float)((double)row[i] * scale);
        }
    }
}

/* Transforms the filters of one group of output channels. */
static void pack_winograd_group(void *context, size_t group, int worker)
{
    const struct pack_conv *pack = context;
    const struct vgg_conv2d *conv = &pack->step->node->conv;
    const size_t sums = (size_t)conv->ic * 9, width = (size_t)pack->group_channels;
    float *rows = scratch_of(pack, group, worker);
    for (size_t lane = 0; lane < width; lane++) {
        const size_t oc = group * width + lane;
        if (oc < (size_t)conv->oc) {
            read_filter(pack, oc, rows + lane * sums);
        } else {
            memset(rows + lane * sums, 0, sums * sizeof *rows);
        }
    }
    vgg_winograd_pack_group(pack->plan, pack->step, group, rows);
}

/* Packs one group of output channels. */
static void pack_conv_group(void *context, size_t group, int worker)
{
    const struct pack_conv *pack = context;
    const struct vgg_conv2d *conv = &pack->step->node->conv;
    const int area = conv->kernel * conv->kernel;
    const size_t width = (size_t)pack->group_channels;
    float *row = scratch_of(pack, group, worker); /* one output channel's [ic][kh][kw] */
    float *out = pack->step->weight + group * pack->step->group_elements;
    memset(out, 0, pack->step->group_elements * sizeof *out);

    for (size_t lane = 0; lane < width; lane++) {
        size_t oc = group * width + lane;
        if (oc >= (size_t)conv->oc) {
            break;
        }
        read_filter(pack, oc, row);
        for (int ic = 0; ic < conv->ic; ic++) {
            size_t block = (size_t)(ic / pack->ic_block), c = (size_t)(ic % pack->ic_block);
            float *to = out + (block * (size_t)area * (size_t)pack->ic_block + c) * width + lane;
            for (int k = 0; k < area; k++) {
                to[(size_t)k * (size_t)pack->ic_block * width] = row[ic * area + k];
            }
        }
    }
}

static vgg_status pack_conv(struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                            struct vgg_error *err)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_activation *in = &plan->activations[step->in];
    const size_t sums = (size_t)conv->ic * (size_t)conv->kernel * (size_t)conv->kernel;
    const int group_channels = plan->kernels->conv_blocks * plan->kernels->lanes;
    const int ic_block = in->lanes > 1 ? in->lanes : conv->ic;
    const size_t ic_padded = (size_t)vgg_ceil_div(conv->ic, ic_block) * (size_t)ic_block;
    double *scale = NULL, *shift = NULL;
    float *bias;
    vgg_status status = read_vector(plan, conv->bias, &bias, err);
    if (status == VGG_OK && step->norm != NULL) {
        status = read_norm(plan, &step->norm->norm, &scale, &shift, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    const bool winograd = step->conv.algorithm != VGG_DIRECT;
    step->group_elements =
        winograd ? vgg_winograd_filter_elements(plan, step)
                 : ic_padded * (size_t)conv->kernel * (size_t)conv->kernel * (size_t)group_channels;
    size_t channels = (size_t)step->groups * (size_t)group_channels;
    step->weight = alloc_weights(plan, (size_t)step->groups * step->group_elements);
    step->bias = alloc_weights(plan, channels);
    const size_t scratch_rows = winograd ? (size_t)group_channels : 1;
    const size_t groups = (size_t)step->groups, threads = (size_t)vgg_pool_get_threads(pool);
    const size_t slots = groups < threads ? groups : threads;
    const struct vgg_allocator *allocator = vgg_allocator_of(plan->arena.context);
    float *scratch = vgg_aligned_alloc(allocator, slots * scratch_rows * sums * sizeof(float));
    if (step->weight == NULL || step->bias == NULL || scratch == NULL) {
        vgg_mem_free(allocator, scratch);
        return vgg_fail_memory(err, plan->path, channels * sums * sizeof(float), step->node->name);
    }
    for (size_t oc = 0; oc < channels; oc++) {
        double b = oc < (size_t)conv->oc && bias != NULL ? (double)bias[oc] : 0;
        if (scale != NULL && oc < (size_t)conv->oc) {
            b = b * scale[oc] + shift[oc];
        }
        step->bias[oc] = (float)b;
    }
    struct pack_conv pack = {plan,     step,    scale,        group_channels,
                             ic_block, scratch, scratch_rows, slots};
    vgg_pool_run(pool, (size_t)step->groups, winograd ? pack_winograd_group : pack_conv_group,
                 &pack);
    vgg_mem_free(allocator, scratch);
    return VGG_OK;
}

/* BatchNorm that is a step of its own: float32 scale and shift, padded to whole blocks. */
static vgg_status pack_norm(struct vgg_plan *plan, struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    size_t channels = (size_t)out->blocks * (size_t)out->lanes;
    double *scale, *shift;
    vgg_status status = read_norm(plan, &step->node->norm, &scale, &shift, err);
    if (status != VGG_OK) {
        return status;
    }
    step->scale = alloc_weights(plan, channels);
    step->bias = alloc_weights(plan, channels);
    if (step->scale == NULL || step->bias == NULL) {
        return vgg_fail_memory(err, plan->path, channels * sizeof(float), step->node->name);
    }
    for (size_t c = 0; c < channels; c++) {
        bool real = c < (size_t)step->node->norm.channels;
        step->scale[c] = real ? (float)scale[c] : 0;
        step->bias[c] = real ? (float)shift[c] : 0;
    }
    return VGG_OK;
}

/* A fully connected layer's, whether it moves over a picture or not. */
static vgg_status pack_linear(struct vgg_plan *plan, struct vgg_step *step, struct vgg_error *err)
{
    const bool dense = step->kind == VGG_STEP_DENSE;
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_linear *linear = &step->node->linear;
    const struct vgg_tensor *weight = dense ? conv->weight : linear->weight;
    const struct vgg_tensor *bias = dense ? conv->bias : linear->bias;
    const size_t rows = (size_t)(dense ? conv->oc : linear->out_features);
    if (weight->dtype == VGG_DTYPE_F32 && !weight->swapped && vgg_tensor_is_contiguous(weight)) {
        step->linear_weight = weight->data;
    } else {
        step->weight = alloc_weights(plan, (size_t)vgg_tensor_get_count(weight));
        if (step->weight == NULL) {
            return vgg_fail_memory(err, plan->path,
                                   (size_t)vgg_tensor_get_count(weight) * sizeof(float),
                                   weight->name);
        }
        vgg_tensor_read_f32(weight, step->weight);
        step->linear_weight = step->weight;
    }
    if (bias == NULL) {
        return VGG_OK;
    }
    step->bias = alloc_weights(plan, rows);
    if (step->bias == NULL) {
        return vgg_fail_memory(err, plan->path, rows * sizeof(float), bias->name);
    }
    vgg_tensor_read_f32(bias, step->bias);
    return VGG_OK;
}

vgg_status vgg_plan_pack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (int s = 0; s < plan->step_count && status == VGG_OK; s++) {
        struct vgg_step *step = &plan->steps[s];
        if (step->kind == VGG_STEP_CONV) {
            status = pack_conv(plan, step, pool, err);
        } else if (step->kind == VGG_STEP_BATCH_NORM) {
            status = pack_norm(plan, step, err);
        } else if (step->kind == VGG_STEP_LINEAR || step->kind == VGG_STEP_DENSE) {
            status = pack_linear(plan, step, err);
        }
    }
    return status;
}
