/* Activations: padding around them, and copies in another layout. */
#include "plan/activation.h"

#include <string.h>

void vgg_plan_frame(struct vgg_plan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_step *step = &plan->steps[s];
        if (step->kind == VGG_STEP_CONV) {
            plan->activations[step->in].pad = step->node->conv.padding;
        }
    }
}

void vgg_activation_clear_frame(const struct vgg_activation *a, void *block, int begin, int end)
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

void vgg_activation_to_planar(const struct vgg_activation *a, int picture, float *out)
{
    for (int c = 0; c < a->shape.c; c++) {
        const float *x =
            a->data + picture * a->n_stride + c / a->lanes * a->block_stride + c % a->lanes;
        for (int h = 0; h < a->shape.h; h++) {
            for (int w = 0; w < a->shape.w; w++) {
                *out++ = x[h * a->row_stride + (ptrdiff_t)w * a->lanes];
            }
        }
    }
}
