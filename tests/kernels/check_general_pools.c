/* SPDX-License-Identifier: MIT */
/* general_pool and adaptive_max_pool: windows that reach into the padding and beyond it, on one block of channels. */
#include "check.h"

#include "kernels/ref_general.h"

struct pool {
    bool adaptive, average, count_padding;
    struct vgg_ref_window window;
    enum check_fill fill;
};

/* Input and output of a case; rows are longer than their pixels. */
struct buffers {
    float *x, *y;
    size_t x_row, y_row, y_count; /* elements */
    /* One channel, and what it must give. */
    float *channel;
    double *want, *magnitude;
};

static struct buffers make_buffers(struct check *check, const struct pool *p)
{
    const size_t lanes = (size_t)check->kernels->lanes;
    const struct vgg_sides in = p->window.in, out = p->window.out;
    struct buffers b = {.x_row = (size_t)(in.w + 1) * lanes, .y_row = (size_t)(out.w + 2) * lanes};
    /* The last row ends with its last pixel. */
    const size_t x_count = (size_t)(in.h - 1) * b.x_row + (size_t)in.w * lanes;
    b.y_count = (size_t)out.h * b.y_row;
    b.x = check_input(check, x_count, 0);
    b.y = check_output(check, b.y_count);
    b.channel = check_scratch(check, (size_t)in.h * (size_t)in.w, sizeof *b.channel);
    b.want = check_scratch(check, (size_t)out.h * (size_t)out.w, sizeof *b.want);
    b.magnitude = check_scratch(check, (size_t)out.h * (size_t)out.w, sizeof *b.magnitude);
    check_fill(check, b.x, x_count, p->fill);
    return b;
}

static void run(struct check *check, const struct pool *p, const struct buffers *b, float *y,
                int step)
{
    const struct vgg_ref_window *w = &p->window;
    for (int oh = 0; oh < w->out.h; oh += step) {
        check->kernels->general_pool(&(struct vgg_general_pool_args){
            .x = b->x,
            .x_row_stride = (ptrdiff_t)b->x_row,
            .in = w->in,
            .y = y,
            .y_row_stride = (ptrdiff_t)b->y_row,
            .kernel = w->kernel,
            .stride = w->stride,
            .dilation = w->dilation,
            .before = w->before,
            .after = w->after,
            .average = p->average,
            .count_padding = p->count_padding,
            .oh_begin = oh,
            .oh_end = oh + step < w->out.h ? oh + step : w->out.h,
            .ow = w->out.w,
        });
    }
}

static void run_all(struct check *check, const struct pool *p, const struct buffers *b)
{
    const struct vgg_ref_window *w = &p->window;
    if (p->adaptive) {
        check->kernels->adaptive_max_pool(&(struct vgg_avg_pool_args){
            .x = b->x,
            .x_row_stride = (ptrdiff_t)b->x_row,
            .ih = w->in.h,
            .iw = w->in.w,
            .y = b->y,
            .y_row_stride = (ptrdiff_t)b->y_row,
            .oh = w->out.h,
            .ow = w->out.w,
        });
        return;
    }
    float *rows = check_output(check, b->y_count);
    run(check, p, b, b->y, w->out.h);
    run(check, p, b, rows, 1);
    check_same(check, "rows one by one", b->y, rows, b->y_count);
}

static void check_lane(struct check *check, const struct pool *p, const struct buffers *b,
                       size_t lane)
{
    const struct vgg_ref_window *w = &p->window;
    const size_t lanes = (size_t)check->kernels->lanes, iw = (size_t)w->in.w, ow = (size_t)w->out.w;
    const size_t x_count = (size_t)w->in.h * iw, y_count = (size_t)w->out.h * ow;

    for (size_t i = 0; i < x_count; i++) {
        b->channel[i] = b->x[i / iw * b->x_row + i % iw * lanes + lane];
    }
    if (p->adaptive) {
        vgg_ref_adaptive_max_pool(w->in, w->out, b->channel, b->want);
    } else {
        vgg_ref_general_pool(w, p->average, p->count_padding, b->channel, b->want, b->magnitude);
    }
    /* All additions and a division. */
    const double operations = p->average ? (double)w->kernel.h * w->kernel.w + 1 : 0;
    for (size_t i = 0; i < y_count; i++) {
        const float got = check_take(check, b->y + i / ow * b->y_row + i % ow * lanes + lane);
        check_value(check, "output", i, got, b->want[i], b->magnitude[i], operations, 0);
    }
}

static void check_case(struct check *check, const struct pool *p)
{
    const struct vgg_ref_window *w = &p->window;
    check_begin(check, "%s %dx%d -> %dx%d kernel %dx%d stride %dx%d padding %dx%d, %s numbers",
                p->adaptive ? "adaptive_max_pool" : "general_pool", w->in.h, w->in.w, w->out.h,
                w->out.w, w->kernel.h, w->kernel.w, w->stride.h, w->stride.w, w->before.h,
                w->before.w, check_fill_string(p->fill));
    const struct buffers b = make_buffers(check, p);
    run_all(check, p, &b);
    for (size_t lane = 0; lane < (size_t)check->kernels->lanes; lane++) {
        check_lane(check, p, &b, lane);
    }
    check_untouched(check, b.y, b.y_count);
    check_end(check);
}

static struct vgg_sides draw(struct check *check, int low, int high)
{
    return (struct vgg_sides){check_range(check, low, high), check_range(check, low, high)};
}

/* Outputs are drawn, too: the last windows may lie beyond the padding. */
static struct pool draw_pool(struct check *check, enum check_fill fill)
{
    return (struct pool){
        .average = check_range(check, 0, 1) != 0,
        .count_padding = check_range(check, 0, 1) != 0,
        .window = {.in = draw(check, 1, 9),
                   .out = draw(check, 1, 5),
                   .kernel = draw(check, 1, 4),
                   .stride = draw(check, 1, 3),
                   .dilation = draw(check, 1, 3),
                   .before = draw(check, 0, 2),
                   .after = draw(check, 0, 2)},
        .fill = fill,
    };
}

void check_general_pools(struct check *check)
{
    for (int i = 0; i < 200; i++) {
        struct pool pool = draw_pool(check, FILL_ORDINARY);
        check_case(check, &pool);
    }
    for (int i = 0; i < 4 * FILL_KINDS; i++) {
        struct pool pool = draw_pool(check, (enum check_fill)(i / 4));
        /* A mean may be finite where the sum is not: PyTorch's overflows there, too. */
        pool.average = pool.average && pool.fill != FILL_OVERFLOW && pool.fill != FILL_MIXED;
        check_case(check, &pool);
        pool.adaptive = true;
        pool.average = false;
        check_case(check, &pool);
    }
}
