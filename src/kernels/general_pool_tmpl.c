/* SPDX-License-Identifier: MIT */
/* Pools over windows that may reach outside of the input, and the adaptive maximum, on one block of channels. */
#include "kernels/kernels.h"
#include "kernels/vec.h"

/* A window along one axis: its pixels begin … end-1 in the input, `step` apart; and their number in the input
 * and its padding. */
struct span {
    int begin, end, step;
    int count, padded;
};

/* Windows of `kernel` pixels, `dilation` apart, from pixel `at` on, which may be negative. */
VGG_INLINE struct span find_span(int64_t at, int kernel, int dilation, int size, int after)
{
    const int64_t skipped = at < 0 ? (-at + dilation - 1) / dilation : 0;
    const int64_t inside = size > at ? (size - at + dilation - 1) / dilation : 0;
    const int64_t all = (int64_t)size + after;
    const int64_t padded = all > at ? (all - at + dilation - 1) / dilation : 0;
    const int64_t end = inside < kernel ? inside : kernel;
    struct span span = {.step = dilation, .padded = (int)(padded < kernel ? padded : kernel)};
    if (skipped < end) {
        span.begin = (int)(at + skipped * dilation);
        span.end = (int)(at + (end - 1) * dilation + 1);
        span.count = (int)(end - skipped);
    }
    return span;
}

VGG_INLINE vf find_max(const float *x, ptrdiff_t row_stride, const struct span *rows,
                       const struct span *columns)
{
    vf best = vf_set1(-__builtin_inff());
    for (int h = rows->begin; h < rows->end; h += rows->step) {
        const float *row = x + h * row_stride;
        for (int w = columns->begin; w < columns->end; w += columns->step) {
            best = vf_max(best, vf_load(row + (ptrdiff_t)w * VF_LANES));
        }
    }
    return best;
}

/* A sum for each row: the error grows with height and width, not with their product. */
VGG_INLINE vf find_sum(const float *x, ptrdiff_t row_stride, const struct span *rows,
                       const struct span *columns)
{
    vf sum = vf_zero();
    for (int h = rows->begin; h < rows->end; h += rows->step) {
        const float *row = x + h * row_stride;
        vf row_sum = vf_zero();
        for (int w = columns->begin; w < columns->end; w += columns->step) {
            row_sum = vf_add(row_sum, vf_load(row + (ptrdiff_t)w * VF_LANES));
        }
        sum = vf_add(sum, row_sum);
    }
    return sum;
}

VGG_INLINE vf find_mean(const struct vgg_general_pool_args *a, const struct span *rows,
                        const struct span *columns)
{
    if (rows->count == 0 || columns->count == 0) {
        return vf_zero();
    }
    const float count = a->count_padding ? (float)rows->padded * (float)columns->padded
                                         : (float)rows->count * (float)columns->count;
    return vf_div(find_sum(a->x, a->x_row_stride, rows, columns), vf_set1(count));
}

void VGG_KERNEL(general_pool)(const struct vgg_general_pool_args *args)
{
    for (int oh = args->oh_begin; oh < args->oh_end; oh++) {
        const struct span rows =
            find_span((int64_t)oh * args->stride.h - args->before.h, args->kernel.h,
                      args->dilation.h, args->in.h, args->after.h);
        for (int ow = 0; ow < args->ow; ow++) {
            const struct span columns =
                find_span((int64_t)ow * args->stride.w - args->before.w, args->kernel.w,
                          args->dilation.w, args->in.w, args->after.w);
            vf_store(args->y + oh * args->y_row_stride + (ptrdiff_t)ow * VF_LANES,
                     args->average ? find_mean(args, &rows, &columns)
                                   : find_max(args->x, args->x_row_stride, &rows, &columns));
        }
    }
}

/* Window i of n over `size` pixels. */
VGG_INLINE struct span find_adaptive(int i, int n, int size)
{
    return (struct span){.begin = (int)((int64_t)i * size / n),
                         .end = (int)(((int64_t)(i + 1) * size + n - 1) / n),
                         .step = 1};
}

void VGG_KERNEL(adaptive_max_pool)(const struct vgg_avg_pool_args *args)
{
    for (int oh = 0; oh < args->oh; oh++) {
        const struct span rows = find_adaptive(oh, args->oh, args->ih);
        for (int ow = 0; ow < args->ow; ow++) {
            const struct span columns = find_adaptive(ow, args->ow, args->iw);
            vf_store(args->y + oh * args->y_row_stride + (ptrdiff_t)ow * VF_LANES,
                     find_max(args->x, args->x_row_stride, &rows, &columns));
        }
    }
}
