/* SPDX-License-Identifier: MIT */
/* max_pool, avg_pool, scale_shift and relu: one block of channels, lane by lane. */
#include "check.h"

#include "kernels/ref.h"

enum op { MAX_POOL, AVG_POOL, SCALE_SHIFT, RELU };
static const char *const op_names[] = {"max_pool", "avg_pool", "scale_shift", "relu"};

/*   ih, iw   input pixels     oh, ow   output pixels     kernel, stride   of max_pool */
struct block {
    enum op op;
    int ih, iw, oh, ow, kernel, stride;
    enum check_fill fill;
};

/* Input and output of a case; rows are longer than their pixels. */
struct buffers {
    float *x, *y, *scale, *shift;
    size_t x_row, y_row, y_count; /* elements */
};

static struct buffers make_buffers(struct check *check, const struct block *b)
{
    const size_t lanes = (size_t)check->kernels->lanes, rows = (size_t)b->ih;
    struct buffers f = {.x_row = ((size_t)b->iw + 1) * lanes, .y_row = ((size_t)b->ow + 2) * lanes};
    f.y_count = (size_t)b->oh * f.y_row;
    /* The last row ends with its last pixel. */
    const size_t x_count = (rows - 1) * f.x_row + (size_t)b->iw * lanes;
    f.x = check_input(check, x_count, 0);
    f.scale = check_input(check, lanes, 0);
    f.shift = check_input(check, lanes, 0);
    f.y = check_output(check, f.y_count);
    check_fill(check, f.x, x_count, b->fill);
    check_fill(check, f.scale, lanes, FILL_ORDINARY);
    check_fill(check, f.shift, lanes, FILL_ORDINARY);
    return f;
}

static void run_max_pool(struct check *check, const struct block *b, const struct buffers *f,
                         float *y, int step)
{
    struct vgg_max_pool_args args = {.x = f->x,
                                     .x_row_stride = (ptrdiff_t)f->x_row,
                                     .y = y,
                                     .y_row_stride = (ptrdiff_t)f->y_row,
                                     .kernel = b->kernel,
                                     .stride = b->stride,
                                     .ow = b->ow};
    for (int oh = 0; oh < b->oh; oh += step) {
        args.oh_begin = oh;
        args.oh_end = oh + step < b->oh ? oh + step : b->oh;
        check->kernels->max_pool(&args);
    }
}

static void run(struct check *check, const struct block *b, const struct buffers *f)
{
    const struct vgg_pointwise_args pointwise = {.x = f->x,
                                                 .x_row_stride = (ptrdiff_t)f->x_row,
                                                 .y = f->y,
                                                 .y_row_stride = (ptrdiff_t)f->y_row,
                                                 .h = b->ih,
                                                 .w = b->iw,
                                                 .scale = f->scale,
                                                 .shift = f->shift};
    switch (b->op) {
    case MAX_POOL: {
        float *other = check_output(check, f->y_count);
        run_max_pool(check, b, f, f->y, b->oh);
        run_max_pool(check, b, f, other, check_ceil_div(b->oh, 2));
        check_same(check, "rows in two calls", f->y, other, f->y_count);
        break;
    }
    case AVG_POOL:
        check->kernels->avg_pool(&(struct vgg_avg_pool_args){.x = f->x,
                                                             .x_row_stride = (ptrdiff_t)f->x_row,
                                                             .ih = b->ih,
                                                             .iw = b->iw,
                                                             .y = f->y,
                                                             .y_row_stride = (ptrdiff_t)f->y_row,
                                                             .oh = b->oh,
                                                             .ow = b->ow});
        break;
    case SCALE_SHIFT:
        check->kernels->scale_shift(&pointwise);
        break;
    case RELU:
        check->kernels->relu(&pointwise);
        break;
    }
}

/* What one channel must be: x [ih][iw]; returns the operations of the bound. */
static double compute_reference(struct check *check, const struct block *b, const float *x,
                                double scale, double shift, double *y, double *magnitude)
{
    switch (b->op) {
    case MAX_POOL:
        vgg_ref_max_pool(x, b->ih, b->iw, b->kernel, b->stride, y);
        return 0;
    case AVG_POOL:
        vgg_ref_avg_pool(x, b->ih, b->iw, b->oh, b->ow, y, magnitude);
        /* The largest window, and two divisions. */
        return (double)(b->ih / b->oh + 2) * (b->iw / b->ow + 2) + 2;
    case SCALE_SHIFT:
        for (int i = 0; i < b->ih * b->iw; i++) {
            y[i] = (double)x[i] * scale + shift;
            magnitude[i] = (x[i] < 0 ? -(double)x[i] : (double)x[i]) * (scale < 0 ? -scale : scale);
            magnitude[i] += shift < 0 ? -shift : shift;
        }
        return 1 + !check->fused;
    case RELU:
        for (int i = 0; i < b->ih * b->iw; i++) {
            y[i] = check_relu((double)x[i]);
        }
        return 0;
    }
    return 0;
}

static void check_block_case(struct check *check, const struct block *b)
{
    check_begin(check, "%s %dx%d -> %dx%d kernel %d stride %d, %s numbers", op_names[b->op], b->ih,
                b->iw, b->oh, b->ow, b->kernel, b->stride, check_fill_string(b->fill));
    const int lanes = check->kernels->lanes;
    const struct buffers f = make_buffers(check, b);
    const size_t x_count = (size_t)b->ih * (size_t)b->iw, y_count = (size_t)b->oh * (size_t)b->ow;
    float *x = check_scratch(check, x_count, sizeof *x);
    double *want = check_scratch(check, y_count, sizeof *want);
    double *magnitude = check_scratch(check, y_count, sizeof *magnitude);
    run(check, b, &f);
    for (int c = 0; c < lanes; c++) {
        for (size_t i = 0; i < x_count; i++) {
            x[i] = f.x[i / (size_t)b->iw * f.x_row + i % (size_t)b->iw * (size_t)lanes + (size_t)c];
        }
        const double operations =
            compute_reference(check, b, x, (double)f.scale[c], (double)f.shift[c], want, magnitude);
        for (size_t i = 0; i < y_count; i++) {
            float got = check_take(check, f.y + i / (size_t)b->ow * f.y_row +
                                              i % (size_t)b->ow * (size_t)lanes + c);
            check_value(check, "output", i, got, want[i], magnitude[i], operations, 0);
        }
    }
    check_untouched(check, f.y, f.y_count);
    check_end(check);
}

void check_pools(struct check *check)
{
    for (int fill = 0; fill < FILL_KINDS; fill++) {
        for (int kernel = 2; kernel <= 3; kernel++) {
            for (int size = kernel; size <= 9; size++) {
                const int oh = (size - kernel) / 2 + 1, ow = (size + 3 - kernel) / 2 + 1;
                check_block_case(check, &(struct block){MAX_POOL, size, size + 3, oh, ow, kernel, 2,
                                                        (enum check_fill)fill});
            }
        }
        const struct block pointwise = {SCALE_SHIFT, 5, 7, 5, 7, .fill = (enum check_fill)fill};
        check_block_case(check, &pointwise);
        check_block_case(check, &(struct block){RELU, 6, 3, 6, 3, .fill = (enum check_fill)fill});
        /* A mean may be finite where the sum is not: PyTorch's overflows there, too. */
        if (fill != FILL_OVERFLOW && fill != FILL_MIXED) {
            check_block_case(check,
                             &(struct block){AVG_POOL, 9, 10, 7, 7, .fill = (enum check_fill)fill});
        }
    }
    static const int sizes[] = {1, 2, 3, 7, 8, 14, 20};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (int i = 0; i < SIZES; i++) {
        for (int o = 0; o < SIZES; o++) {
            check_block_case(check,
                             &(struct block){AVG_POOL, sizes[i], sizes[SIZES - 1 - i], sizes[o],
                                             sizes[(o + i) % SIZES], .fill = FILL_ORDINARY});
        }
    }
    check_block_case(check,
                     &(struct block){MAX_POOL, 224, 224, 112, 112, 2, 2, .fill = FILL_ORDINARY});
}
