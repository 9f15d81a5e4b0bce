/* SPDX-License-Identifier: MIT */
/* general_conv and depthwise_conv: every tile width, ranges of input channels that begin and end inside of blocks, both
 * sides of kernels, strides and dilations apart, partial groups, special numbers; and the same bits however the rows
 * are split. */
#include "check.h"

#include "kernels/ref_general.h"

/*   first, ic   input channels that are read; each of depthwise_conv's is an output channel
 *   oc          output channels */
struct conv {
    bool depthwise;
    int first, ic, oc;
    struct vgg_sides out, kernel, stride, dilation;
    bool relu;
    enum check_fill fill;
};

static struct vgg_sides find_input(const struct conv *c)
{
    return (struct vgg_sides){
        (c->out.h - 1) * c->stride.h + (c->kernel.h - 1) * c->dilation.h + 1,
        (c->out.w - 1) * c->stride.w + (c->kernel.w - 1) * c->dilation.w + 1,
    };
}

/* The tensors of a case as PyTorch has them. */
struct tensors {
    struct vgg_sides in;
    size_t in_plane, out_plane, area;
    /* x [ic][in], weight [oc][channels of a filter][area], bias [oc] */
    float *x, *weight, *bias;
    int filter_channels;
    /* [out] of one channel */
    double *want, *magnitude;
};

static struct tensors make_tensors(struct check *check, const struct conv *c)
{
    struct tensors t = {.in = find_input(c), .filter_channels = c->depthwise ? 1 : c->ic};
    t.in_plane = (size_t)t.in.h * (size_t)t.in.w;
    t.out_plane = (size_t)c->out.h * (size_t)c->out.w;
    t.area = (size_t)c->kernel.h * (size_t)c->kernel.w;
    const size_t weights = (size_t)c->oc * (size_t)t.filter_channels * t.area;
    t.x = check_scratch(check, (size_t)c->ic * t.in_plane, sizeof *t.x);
    t.weight = check_scratch(check, weights, sizeof *t.weight);
    t.bias = check_scratch(check, (size_t)c->oc, sizeof *t.bias);
    t.want = check_scratch(check, t.out_plane, sizeof *t.want);
    t.magnitude = check_scratch(check, t.out_plane, sizeof *t.magnitude);
    check_fill(check, t.x, (size_t)c->ic * t.in_plane, c->fill);
    check_fill(check, t.weight, weights, c->fill == FILL_OVERFLOW ? FILL_POSITIVE : FILL_ORDINARY);
    check_fill(check, t.bias, (size_t)c->oc, FILL_ORDINARY);
    return t;
}

/* x in blocks of channels, at the end of its page; channels that are not read are NaN. */
static float *make_input(struct check *check, const struct conv *c, const struct tensors *t)
{
    const size_t lanes = (size_t)check->kernels->lanes;
    const size_t blocks = ((size_t)(c->first + c->ic) + lanes - 1) / lanes;
    float *x = check_input(check, blocks * t->in_plane * lanes, 0);
    for (size_t i = 0; i < blocks * t->in_plane * lanes; i++) {
        const size_t channel = i / (t->in_plane * lanes) * lanes + i % lanes;
        const size_t pixel = i / lanes % t->in_plane, ic = channel - (size_t)c->first;
        x[i] = channel < (size_t)c->first || ic >= (size_t)c->ic ? __builtin_nanf("")
                                                                 : t->x[ic * t->in_plane + pixel];
    }
    return x;
}

/* The weights in the order of general_kernels.h. */
static float *make_weights(struct check *check, const struct conv *c, const struct tensors *t,
                           int width)
{
    const int lanes = check->kernels->lanes;
    float *weight = check_input(check, (size_t)t->filter_channels * t->area * (size_t)width, 0);
    float *to = weight;
    int count;
    for (int ic = 0; ic < t->filter_channels; ic += count) {
        const int free_lanes = lanes - (c->first + ic) % lanes, left = t->filter_channels - ic;
        count = left < free_lanes ? left : free_lanes;
        for (size_t k = 0; k < t->area; k++) {
            for (int i = 0; i < count; i++) {
                for (int oc = 0; oc < width; oc++, to++) {
                    const size_t filter = (size_t)oc * (size_t)t->filter_channels;
                    *to = oc < c->oc ? t->weight[(filter + (size_t)(ic + i)) * t->area + k] : 0;
                }
            }
        }
    }
    return weight;
}

/* Rows of the output are longer than their pixels. */
static size_t count_row(const struct check *check, const struct conv *c)
{
    return (size_t)(c->out.w + 1) * (size_t)check->kernels->lanes;
}

/* Computes in calls of at most `step` rows. */
static void run(struct check *check, const struct conv *c, struct vgg_general_conv_args *args,
                float *y, int step)
{
    const struct vgg_kernels *kernels = check->kernels;
    args->y = y;
    for (int oh = 0; oh < c->out.h; oh += step) {
        args->oh_begin = oh;
        args->oh_end = oh + step < c->out.h ? oh + step : c->out.h;
        (c->depthwise ? kernels->depthwise_conv : kernels->general_conv)(args);
    }
}

static struct vgg_general_conv_args make_args(struct check *check, const struct conv *c,
                                              const struct tensors *t)
{
    const int lanes = check->kernels->lanes;
    const int width = c->depthwise ? lanes : lanes * check->kernels->conv_blocks;
    float *bias = check_input(check, (size_t)width, 0);
    for (int oc = 0; oc < width; oc++) {
        bias[oc] = oc < c->oc ? t->bias[oc] : 0;
    }
    return (struct vgg_general_conv_args){
        .x = make_input(check, c, t),
        .x_block_stride = (ptrdiff_t)t->in_plane * lanes,
        .x_row_stride = (ptrdiff_t)t->in.w * lanes,
        .first = c->first,
        .channels = c->ic,
        .kernel = c->kernel,
        .stride = c->stride,
        .dilation = c->dilation,
        .weight = make_weights(check, c, t, width),
        .bias = bias,
        .y_block_stride = (ptrdiff_t)count_row(check, c) * c->out.h,
        .y_row_stride = (ptrdiff_t)count_row(check, c),
        .oc_blocks = check_ceil_div(c->oc, lanes),
        .ow = c->out.w,
        .relu = c->relu,
    };
}

static void check_channel(struct check *check, const struct conv *c, const struct tensors *t,
                          int oc, float *y)
{
    const size_t lanes = (size_t)check->kernels->lanes, row = count_row(check, c);

    const struct vgg_ref_window window = {.in = t->in,
                                          .out = c->out,
                                          .kernel = c->kernel,
                                          .stride = c->stride,
                                          .dilation = c->dilation};
    vgg_ref_general_conv(&window, t->filter_channels,
                         t->x + (c->depthwise ? (size_t)oc * t->in_plane : 0),
                         t->weight + (size_t)oc * (size_t)t->filter_channels * t->area, t->bias[oc],
                         t->want, t->magnitude);
    float *block = y + (size_t)oc / lanes * (size_t)c->out.h * row + (size_t)oc % lanes;
    for (size_t i = 0; i < t->out_plane; i++) {
        const size_t w = (size_t)c->out.w;
        const float got = check_take(check, block + i / w * row + i % w * lanes);
        check_value(check, "output", i, got, c->relu ? check_relu(t->want[i]) : t->want[i],
                    t->magnitude[i], (double)t->area * t->filter_channels + !check->fused, 0);
    }
}

static void check_case(struct check *check, const struct conv *c)
{
    check_begin(check, "%s %d+%d->%d out %dx%d kernel %dx%d stride %dx%d dilation %dx%d, %s",
                c->depthwise ? "depthwise_conv" : "general_conv", c->first, c->ic, c->oc, c->out.h,
                c->out.w, c->kernel.h, c->kernel.w, c->stride.h, c->stride.w, c->dilation.h,
                c->dilation.w, check_fill_string(c->fill));
    const struct tensors t = make_tensors(check, c);
    const int lanes = check->kernels->lanes, blocks = check_ceil_div(c->oc, lanes);
    const size_t y_count = (size_t)blocks * (size_t)c->out.h * count_row(check, c);
    float *y = check_output(check, y_count), *rows = check_output(check, y_count);
    struct vgg_general_conv_args args = make_args(check, c, &t);
    run(check, c, &args, y, c->out.h);
    run(check, c, &args, rows, 2);
    check_same(check, "rows in more calls", y, rows, y_count);
    for (int oc = 0; oc < blocks * lanes; oc++) {
        if (oc < c->oc) {
            check_channel(check, c, &t, oc, y);
        }
    }
    check_end(check);
}

static void check_widths(struct check *check)
{
    const int lanes = check->kernels->lanes, width = lanes * check->kernels->conv_blocks;
    for (int w = 1; w <= 30; w++) {
        for (int stride = 1; stride <= 3; stride++) {
            struct conv c = {.first = 1,
                             .ic = lanes,
                             .oc = width,
                             .out = {2, w},
                             .kernel = {2, 3},
                             .stride = {1, stride},
                             .dilation = {1, 1}};
            check_case(check, &c);
            c.depthwise = true;
            c.first = 0;
            c.oc = lanes;
            check_case(check, &c);
        }
    }
}

static void check_random_case(struct check *check)
{
    const int lanes = check->kernels->lanes, width = lanes * check->kernels->conv_blocks;
    struct conv c = {.depthwise = check_range(check, 0, 2) == 0,
                     .out = {check_range(check, 1, 4), check_range(check, 1, 9)},
                     .kernel = {check_range(check, 1, 4), check_range(check, 1, 4)},
                     .stride = {check_range(check, 1, 4), check_range(check, 1, 4)},
                     .dilation = {check_range(check, 1, 3), check_range(check, 1, 3)},
                     .relu = check_range(check, 0, 1) != 0};
    c.ic = c.oc = lanes;
    if (!c.depthwise) {
        c.first = check_range(check, 0, lanes - 1);
        c.ic = check_range(check, 1, 2 * lanes + 1);
        c.oc = check_range(check, 1, width);
    }
    check_case(check, &c);
}

void check_general_conv(struct check *check)
{
    const int lanes = check->kernels->lanes;
    check_widths(check);
    for (int i = 0; i < 100; i++) {
        check_random_case(check);
    }
    for (int i = 0; i < 4 * FILL_MIXED; i++) {
        struct conv c = {.depthwise = i % 4 >= 2,
                         .ic = lanes,
                         .oc = lanes,
                         .out = {3, 5},
                         .kernel = {2, 2},
                         .stride = {1, 1},
                         .dilation = {1, 2},
                         .relu = i % 2 != 0,
                         .fill = (enum check_fill)(i / 4)};
        check_case(check, &c);
    }
}
