/* Weights in kernel order.
 *
 * Convolution, for each group of G = conv_blocks * L output channels (see kernels.h):
 *     packed[group][ic / B][kh][kw][ic % B][G]        B = L, or all channels when the input is planar
 * with BatchNorm folded in double precision:
 *     w' = w * s,  b' = (b - mean) * s + beta,  s = gamma / sqrt(var + eps)
 * Channels past the last one are zeros, so that their activations are zeros too.
 *
 * Fully connected weights stay where they are, in the file's pages, unless their type (others than float32 and
 * those of 16 bits), byte order, strides or a BatchNorm make a float32 copy necessary.
 *
 * Packed files may hold convolutions' weights in this order, which are then used in place, too.
 *
 * All of that happens when the plan is made; but in a one-shot plan each step's weights are packed just
 * before it runs, into memory that the steps share, because touching new memory is what costs most. */
#include "plan/f32/prepack.h"

#include <string.h>

#include "base/arith.h"
#include "base/clock.h"
#include "model/graph/norm.h"
#include "plan/f32/linear_weights.h"
#include "plan/f32/winograd_weights.h"

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

/* --- convolutions ----------------------------------------------------------------------------- */

/* Input channels that a task takes at a time: its filters then stay in the first two levels of cache on
 * their way to kernel order. A multiple of every ISA's lanes. */
enum { PART_CHANNELS = 64 };

/* How a convolution's weights are cut for packing.
 *   part   a range of input channels */
struct cut {
    size_t area;       /* of a filter: kernel * kernel */
    size_t width;      /* G */
    size_t ic_block;   /* B */
    size_t ic_padded;  /* to whole blocks */
    size_t part;       /* channels */
    size_t part_count; /* of a group */
};

static struct cut cut_conv(const struct vgg_plan *plan, const struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_activation *in = &plan->activations[step->in];
    const int ic_block = in->lanes > 1 ? in->lanes : conv->ic;
    struct cut cut = {
        .area = (size_t)conv->kernel * (size_t)conv->kernel,
        .width = (size_t)plan->kernels->conv_blocks * (size_t)plan->kernels->lanes,
        .ic_block = (size_t)ic_block,
        .ic_padded = (size_t)vgg_ceil_div(conv->ic, ic_block) * (size_t)ic_block,
    };
    if (step->conv.algorithm != VGG_DIRECT) {
        cut.ic_padded = vgg_winograd_count_channels(plan, step);
    }
    cut.part = in->lanes > 1 && cut.ic_padded > PART_CHANNELS ? PART_CHANNELS : cut.ic_padded;
    cut.part_count = (cut.ic_padded + cut.part - 1) / cut.part;
    return cut;
}

struct pack_conv {
    const struct vgg_plan *plan;
    const struct vgg_step *step;
    int group_begin, groups; /* those to pack */
    struct cut cut;
};

/* One part of an output channel's weights [ic][kh][kw], times its BatchNorm's scale; zeros for channels past
 * the last one. */
static void read_filters(const struct pack_conv *pack, size_t oc, size_t ic, size_t count,
                         float *row)
{
    const struct vgg_conv2d *conv = &pack->step->node->conv;
    const size_t area = pack->cut.area, left = (size_t)conv->ic > ic ? (size_t)conv->ic - ic : 0;
    const size_t real = oc >= (size_t)conv->oc ? 0 : left < count ? left : count;
    if (real > 0) {
        vgg_tensor_read_range(conv->weight, (int64_t)((oc * (size_t)conv->ic + ic) * area),
                              (int64_t)(real * area), row);
    }
    if (pack->step->norm_scale != NULL && real > 0) {
        vgg_fold_weights(row, real * area, pack->step->norm_scale[oc]);
    }
    memset(row + real * area, 0, (count - real) * area * sizeof *row);
}

/* rows[G][stride] to kernel order. */
static void order_filters(const struct pack_conv *pack, size_t group, size_t ic, size_t count,
                          const float *rows, size_t stride)
{
    const struct cut *cut = &pack->cut;
    float *out = pack->step->weight + group * pack->step->group_elements;
    for (size_t i = 0; i < count; i++, ic++) {
        float *to = out + (ic / cut->ic_block * cut->area * cut->ic_block + ic % cut->ic_block) *
                              cut->width;
        for (size_t k = 0; k < cut->area; k++, to += cut->ic_block * cut->width) {
            for (size_t lane = 0; lane < cut->width; lane++) {
                to[lane] = rows[lane * stride + i * cut->area + k];
            }
        }
    }
}

/* Packs one part of the weights of a group of output channels. */
static void pack_conv_task(void *context, size_t index, int worker)
{
    const struct pack_conv *pack = context;
    const struct cut *cut = &pack->cut;
    const size_t group = index / cut->part_count, ic = index % cut->part_count * cut->part;
    const size_t count = cut->ic_padded - ic < cut->part ? cut->ic_padded - ic : cut->part;
    const size_t stride = cut->part * cut->area;
    float *rows = pack->step->rows + (size_t)worker * pack->step->rows_elements;
    for (size_t lane = 0; lane < cut->width; lane++) {
        read_filters(pack, ((size_t)pack->group_begin + group) * cut->width + lane, ic, count,
                     rows + lane * stride);
    }
    if (pack->step->conv.algorithm == VGG_DIRECT) {
        order_filters(pack, group, ic, count, rows, stride);
    } else {
        vgg_winograd_pack(pack->plan, pack->step, pack->groups, group, ic, count, rows, stride);
    }
}

struct vgg_order_info vgg_conv_get_order(const struct vgg_plan *plan, const struct vgg_step *step)
{
    const struct cut cut = cut_conv(plan, step);
    const bool direct = step->conv.algorithm == VGG_DIRECT;
    if (step->conv.stored != NULL) {
        return step->conv.stored->info;
    }
    return (struct vgg_order_info){.order = direct ? VGG_ORDER_DIRECT : VGG_ORDER_WINOGRAD,
                                   .m = direct ? 0 : step->conv.m,
                                   .group = (int)cut.width,
                                   .channels = (int)(direct ? cut.ic_block : cut.ic_padded)};
}

static void measure_conv(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct cut cut = cut_conv(plan, step);
    if (step->conv.stored != NULL) { /* perhaps filled up further than these kernels need */
        step->group_elements =
            (size_t)step->conv.stored->bytes / sizeof(float) / (size_t)step->groups;
        return;
    }
    step->group_elements = step->conv.algorithm == VGG_DIRECT
                               ? cut.ic_padded * cut.area * cut.width
                               : vgg_winograd_filter_elements(plan, step);
    const int groups =
        step->conv.algorithm == VGG_WINOGRAD_FREQUENCY ? step->conv.groups : step->groups;
    step->weight_elements = (size_t)groups * step->group_elements;
    step->rows_elements = cut.width * cut.part * cut.area;
}

/* The bias with BatchNorm folded in, and the scale of the weights.
 *   real      channels there are
 *   channels  with those that are only filled up */
static vgg_status pack_bias(struct vgg_plan *plan, struct vgg_step *step,
                            const struct vgg_tensor *tensor, size_t real, size_t channels,
                            struct vgg_error *err)
{
    double *scale = NULL, *shift = NULL;
    float *bias;
    vgg_status status = vgg_vector_read(tensor, plan->path, &plan->arena, &bias, err);
    if (status == VGG_OK && step->norm != NULL) {
        status =
            vgg_batch_norm_read(&step->norm->norm, plan->path, &plan->arena, &scale, &shift, err);
    }
    if (status != VGG_OK) {
        return status;
    }
    step->norm_scale = scale;
    step->bias = alloc_weights(plan, channels);
    if (step->bias == NULL) {
        return vgg_fail_memory(err, plan->path, channels * sizeof(float), step->node->name);
    }
    for (size_t oc = 0; oc < channels; oc++) {
        const float b = oc < real && bias != NULL ? bias[oc] : 0;
        const bool folded = scale != NULL && oc < real;
        step->bias[oc] = folded ? vgg_fold_bias((double)b, scale[oc], shift[oc]) : b;
    }
    return VGG_OK;
}

static vgg_status pack_conv_bias(struct vgg_plan *plan, struct vgg_step *step,
                                 struct vgg_error *err)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const size_t channels = (size_t)step->groups * cut_conv(plan, step).width;
    return pack_bias(plan, step, conv->bias, (size_t)conv->oc, channels, err);
}

/* --- other steps ------------------------------------------------------------------------------ */

/* BatchNorm that is a step of its own: float32 scale and shift, padded to whole blocks. */
static vgg_status pack_norm(struct vgg_plan *plan, struct vgg_step *step, struct vgg_error *err)
{
    const struct vgg_activation *out = &plan->activations[step->out];
    size_t channels = vgg_size_round_up((size_t)out->shape.c, (size_t)plan->kernels->lanes);
    double *scale, *shift;
    vgg_status status =
        vgg_batch_norm_read(&step->node->norm, plan->path, &plan->arena, &scale, &shift, err);
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

static bool is_linear(const struct vgg_step *step)
{
    return step->kind == VGG_STEP_LINEAR || step->kind == VGG_STEP_DENSE;
}

static void measure_linear(const struct vgg_plan *plan, struct vgg_step *step)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    if (vgg_linear_is_in_place(step)) {
        return;
    }
    if (plan->one_shot) {
        /* Each task makes floats of its own slice and forgets them: no copy of all is ever made. */
        const int tile = plan->kernels->linear_rows;
        const int tiles = vgg_ceil_div(vgg_ceil_div(linear.rows, tile), step->groups);
        step->rows_elements = (size_t)(tiles * tile) * linear.features;
    } else {
        step->weight_elements = (size_t)linear.rows * linear.features;
    }
}

static vgg_status pack_linear_bias(struct vgg_plan *plan, struct vgg_step *step,
                                   struct vgg_error *err)
{
    const struct vgg_linear_view linear = vgg_linear_view(step);
    const size_t rows = (size_t)linear.rows;
    return linear.bias != NULL || step->norm != NULL
               ? pack_bias(plan, step, linear.bias, rows, rows, err)
               : VGG_OK;
}

static void read_linear_task(void *context, size_t index, int worker)
{
    (void)worker;
    const struct vgg_step *step = context;
    const struct vgg_linear_view linear = vgg_linear_view(step);
    const int begin = (int)((int64_t)linear.rows * (int64_t)index / step->groups);
    const int end = (int)((int64_t)linear.rows * ((int64_t)index + 1) / step->groups);
    vgg_linear_read(step, begin, end, step->weight + (size_t)begin * linear.features);
}

/* --- all steps -------------------------------------------------------------------------------- */

void vgg_plan_measure_weights(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        struct vgg_step *step = &plan->steps[s];
        if (step->kind == VGG_STEP_CONV) {
            measure_conv(plan, step);
        } else if (is_linear(step)) {
            measure_linear(plan, step);
        }
    }
}

void vgg_step_prepare(const struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                      int group_begin, int groups)
{
    if (step->weight_elements == 0) {
        return;
    }
    const uint64_t start = vgg_now_ns();
    if (step->kind == VGG_STEP_CONV) {
        struct pack_conv pack = {plan, step, group_begin, groups, cut_conv(plan, step)};
        vgg_pool_run(pool, (size_t)groups * pack.cut.part_count, pack_conv_task, &pack);
    } else {
        vgg_pool_run(pool, (size_t)step->groups, read_linear_task, step);
    }
    step->prepare_ns += vgg_now_ns() - start;
}

vgg_status vgg_step_keep(struct vgg_plan *plan, struct vgg_step *step, struct vgg_pool *pool,
                         struct vgg_error *err)
{
    if (step->weight_elements == 0) {
        return VGG_OK;
    }
    step->weight = alloc_weights(plan, step->weight_elements);
    if (step->weight == NULL) {
        return vgg_fail_memory(err, plan->path, step->weight_elements * sizeof(float),
                               step->node->name);
    }
    vgg_step_prepare(plan, step, pool, 0, step->groups);
    return VGG_OK;
}

void vgg_step_forget(struct vgg_plan *plan, struct vgg_step *step)
{
    vgg_mem_free(vgg_allocator_of(plan->arena.context), step->weight);
    step->weight = NULL;
}

vgg_status vgg_plan_pack(struct vgg_plan *plan, struct vgg_pool *pool, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    for (int s = 0; s < plan->step_count && status == VGG_OK; s++) {
        struct vgg_step *step = &plan->steps[s];
        if (step->kind == VGG_STEP_CONV) {
            status = pack_conv_bias(plan, step, err);
        } else if (step->kind == VGG_STEP_BATCH_NORM) {
            status = pack_norm(plan, step, err);
        } else if (is_linear(step)) {
            status = pack_linear_bias(plan, step, err);
        }
        if (status == VGG_OK && !plan->one_shot && !plan->lay_out_only) {
            status = vgg_step_keep(plan, step, pool, err);
        }
        if (is_linear(step)) {
            step->linear_weight =
                vgg_linear_is_in_place(step) ? vgg_linear_view(step).weight->data : step->weight;
        }
    }
    return status;
}
