/* SPDX-License-Identifier: MIT */
/* Transforming filters for Winograd convolution, to the order [f][group][ic][G] of winograd_conv.c. */
#include "plan/f32/winograd_weights.h"

#include "base/arith.h"

int vgg_winograd_count_frequencies(const struct vgg_step *step)
{
    const int side = step->winograd_conv.layout.m + 2;
    return side * side;
}

size_t vgg_winograd_count_channels(const struct vgg_plan *plan, const struct vgg_step *step)
{
    const int together = plan->options.kernels->v_blocks;
    const int blocks = vgg_ceil_div(plan->activations[step->in].blocks, together) * together;
    return (size_t)blocks * (size_t)plan->options.kernels->lanes;
}

size_t vgg_winograd_filter_elements(const struct vgg_plan *plan, const struct vgg_step *step)
{
    return (size_t)vgg_winograd_count_frequencies(step) * vgg_winograd_count_channels(plan, step) *
           (size_t)(plan->options.kernels->conv_blocks * plan->options.kernels->lanes);
}

void vgg_winograd_prepack(const struct vgg_plan *plan, const struct vgg_step *step,
                          const struct vgg_filters *filters, float *weight)
{
    const size_t panel = step->conv.group_elements / (size_t)vgg_winograd_count_frequencies(step);
    const struct vgg_kernels *kernels = plan->options.kernels;
    const size_t L = (size_t)plan->packer->lanes;
    const size_t G = (size_t)(kernels->lanes * kernels->conv_blocks);
    for (size_t lane = 0; lane < G; lane += L) {
        plan->packer->winograd_filter(&(struct vgg_winograd_filter_args){
            .m = step->winograd_conv.layout.m,
            .g = filters->rows + lane * filters->stride,
            .g_stride = (ptrdiff_t)filters->stride,
            .count = (int)filters->count,
            .u = weight + filters->group * panel + filters->ic * G + lane,
            .u_f_stride = (ptrdiff_t)(filters->groups * panel),
            .u_c_stride = (ptrdiff_t)G,
        });
    }
}
