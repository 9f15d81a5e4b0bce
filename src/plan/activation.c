/* SPDX-License-Identifier: MIT */
/* Activations: adding them to a plan, the padding around them, and copies in NCHW. */
#include "plan/activation.h"

#include <string.h>

#include "base/arith.h"

int vgg_plan_add_activation(struct vgg_plan *plan, struct vgg_shape shape, int lanes)
{
    plan->activations[plan->activation_count] = (struct vgg_activation){
        .shape = shape,
        .lanes = lanes,
        .element_bytes = sizeof(float),
        .blocks = vgg_ceil_div(shape.c, lanes),
    };
    return plan->activation_count++;
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

void vgg_plan_set_padding(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_step *step = &plan->steps[s];
        const bool reads_caller = step->in == 0 && plan->options.int8 == NULL;
        if ((vgg_step_is_conv(step) && !reads_caller) || step->kind == VGG_STEP_INT8_CONV) {
            plan->activations[step->in].pad = step->node->conv.padding;
        } else if (step->kind == VGG_STEP_GENERAL_CONV) {
            const struct vgg_margins pad = step->node->general_conv.window.padding;
            plan->activations[step->in].pad =
                max(max(pad.top, pad.bottom), max(pad.left, pad.right));
        }
    }
}

void vgg_activation_clear_padding(const struct vgg_activation *a, void *block, int begin, int end)
{
    const ptrdiff_t pixel_bytes = (ptrdiff_t)a->lanes * a->element_bytes;
    const ptrdiff_t side = a->pad * pixel_bytes, inside = a->shape.w * pixel_bytes;
    const ptrdiff_t row_bytes = a->row_stride * a->element_bytes;
    char *first = block;
    if (a->pad == 0) {
        return;
    }
    for (int row = begin; row < end; row++) {
        char *p = first + row * row_bytes;
        memset(p - side, 0, (size_t)side);
        memset(p + inside, 0, (size_t)side);
    }
    for (int row = 1; row <= a->pad; row++) {
        if (begin == 0) {
            memset(first - row * row_bytes - side, 0, (size_t)row_bytes);
        }
        if (end == a->shape.h) {
            memset(first + (a->shape.h + row - 1) * row_bytes - side, 0, (size_t)row_bytes);
        }
    }
}

void vgg_activation_to_nchw(const struct vgg_activation *a, int image, float *out)
{
    for (int c = 0; c < a->shape.c; c++) {
        const float *x =
            a->data + image * a->n_stride + c / a->lanes * a->block_stride + c % a->lanes;
        for (int h = 0; h < a->shape.h; h++) {
            for (int w = 0; w < a->shape.w; w++) {
                *out++ = x[h * a->row_stride + (ptrdiff_t)w * a->lanes];
            }
        }
    }
}
