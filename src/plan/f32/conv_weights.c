/* SPDX-License-Identifier: MIT */
/* Prepacking a convolution's weights; the orders are described in prepack.c. */
#include "plan/f32/conv_weights.h"

#include <string.h>

#include "base/arith.h"
#include "model/graph/norm.h"
#include "plan/f32/winograd_weights.h"

/* Input channels of a task. Its filters then stay in the first two levels of cache while they are prepacked. A multiple of
 * every ISA's lanes. */
enum { PART_CHANNELS = 64 };

/* How a convolution's weights are cut into tasks: each prepacks a part, which is a range of input channels, of one group.
 *   width     G
 *   ic_block  B */
struct cut {
    /* Of a filter: kernel * kernel. */
    size_t area;
    size_t width, ic_block;
    /* Input channels, padded to whole blocks. */
    size_t ic_padded;
    /* Input channels of a part, and parts of a group. */
    size_t part, part_count;
};

static struct cut cut_conv(const struct vgg_plan *plan, const struct vgg_step *step)
{
    const struct vgg_conv2d *conv = &step->node->conv;
    const struct vgg_activation *in = &plan->activations[step->in];
    const int ic_block = in->lanes > 1 ? in->lanes : conv->ic;
    struct cut cut = {
        .area = (size_t)conv->kernel * (size_t)conv->kernel,
        .width = (size_t)plan->options.kernels->conv_blocks * (size_t)plan->options.kernels->lanes,
        .ic_block = (size_t)ic_block,
        .ic_padded = (size_t)vgg_ceil_div(conv->ic, ic_block) * (size_t)ic_block,
    };
    if (step->kind == VGG_STEP_WINOGRAD_CONV) {
        cut.ic_padded = vgg_winograd_count_channels(plan, step);
    }
    cut.part = in->lanes > 1 && cut.ic_padded > PART_CHANNELS ? PART_CHANNELS : cut.ic_padded;
    cut.part_count = (cut.ic_padded + cut.part - 1) / cut.part;
    return cut;
}

/* What the tasks need. */
struct prepack_run {
    const struct vgg_prepack_job *job;
    struct cut cut;
};

/* Reads a part of an output channel's weights [ic][kh][kw], times the BatchNorm's scale; zeros for channels beyond the
 * real ones. */
static void read_filters(const struct prepack_run *run, size_t oc, size_t ic, size_t count,
                         float *row)
{
    const struct vgg_conv2d *conv = &run->job->step->node->conv;
    const size_t area = run->cut.area, left = (size_t)conv->ic > ic ? (size_t)conv->ic - ic : 0;
    const size_t real = oc >= (size_t)conv->oc ? 0 : left < count ? left : count;
    if (real > 0) {
        vgg_tensor_read_range(conv->weight, (int64_t)((oc * (size_t)conv->ic + ic) * area),
                              (int64_t)(real * area), row);
    }
    if (run->job->step->conv.weights.norm_scale != NULL && real > 0) {
        vgg_fold_weights(row, real * area, run->job->step->conv.weights.norm_scale[oc]);
    }
    memset(row + real * area, 0, (count - real) * area * sizeof *row);
}

/* Stores filters in the order of direct convolution. */
static void order_filters(const struct prepack_run *run, const struct vgg_filters *filters)
{
    const struct cut *cut = &run->cut;
    float *out = run->job->weight + filters->group * run->job->step->conv.group_elements;
    size_t ic = filters->ic;
    for (size_t i = 0; i < filters->count; i++, ic++) {
        float *to = out + (ic / cut->ic_block * cut->area * cut->ic_block + ic % cut->ic_block) *
                              cut->width;
        for (size_t k = 0; k < cut->area; k++, to += cut->ic_block * cut->width) {
            for (size_t lane = 0; lane < cut->width; lane++) {
                to[lane] = filters->rows[lane * filters->stride + i * cut->area + k];
            }
        }
    }
}

/* Prepacks one part of the weights of a group of output channels. */
static void prepack_task(void *context, size_t index, int worker)
{
    const struct prepack_run *run = context;
    const struct vgg_prepack_job *job = run->job;
    const struct cut *cut = &run->cut;
    const size_t group = index / cut->part_count, ic = index % cut->part_count * cut->part;
    const size_t count = cut->ic_padded - ic < cut->part ? cut->ic_padded - ic : cut->part;
    const size_t stride = cut->part * cut->area;
    float *rows = job->rows + (size_t)worker * job->step->conv.weights.rows_elements;
    for (size_t lane = 0; lane < cut->width; lane++) {
        read_filters(run, ((size_t)job->group_begin + group) * cut->width + lane, ic, count,
                     rows + lane * stride);
    }
    const struct vgg_filters filters = {.group = group,
                                        .groups = (size_t)job->groups,
                                        .ic = ic,
                                        .count = count,
                                        .rows = rows,
                                        .stride = stride};
    if (job->step->kind == VGG_STEP_DIRECT_CONV) {
        order_filters(run, &filters);
    } else {
        vgg_winograd_prepack(job->plan, job->step, &filters, job->weight);
    }
}

void vgg_conv_prepack(const struct vgg_prepack_job *job, struct vgg_pool *pool)
{
    struct prepack_run run = {job, cut_conv(job->plan, job->step)};
    vgg_pool_run(pool, (size_t)job->groups * run.cut.part_count, prepack_task, &run);
}

struct vgg_order_info vgg_conv_get_order(const struct vgg_plan *plan, const struct vgg_step *step)
{
    const struct cut cut = cut_conv(plan, step);
    const bool direct = step->kind == VGG_STEP_DIRECT_CONV;
    if (step->conv.prepacked != NULL) {
        return step->conv.prepacked->info;
    }
    return (struct vgg_order_info){.order = direct ? VGG_ORDER_DIRECT : VGG_ORDER_WINOGRAD,
                                   .m = direct ? 0 : step->winograd_conv.layout.m,
                                   .group = (int)cut.width,
                                   .channels = (int)(direct ? cut.ic_block : cut.ic_padded)};
}

void vgg_conv_size_weights(const struct vgg_plan *plan, struct vgg_step *step)
{
    struct vgg_conv_common *conv = &step->conv;
    const struct cut cut = cut_conv(plan, step);
    size_t groups = (size_t)step->cut.groups;
    if (conv->prepacked != NULL) {
        /* The file's groups may be padded further than these kernels need. */
        conv->group_elements = (size_t)conv->prepacked->bytes / sizeof(float) / groups;
        return;
    }
    if (step->kind == VGG_STEP_DIRECT_CONV) {
        conv->group_elements = vgg_size_mul_capped(cut.ic_padded * cut.area, cut.width);
    } else {
        conv->group_elements = vgg_winograd_filter_elements(plan, step);
        if (step->winograd_conv.algorithm == VGG_WINOGRAD_FREQUENCY) {
            groups = (size_t)step->winograd_conv.layout.groups;
        }
    }
    conv->weights.elements = vgg_size_mul_capped(groups, conv->group_elements);
    conv->weights.rows_elements = vgg_size_mul_capped(cut.part * cut.area, cut.width);
}
