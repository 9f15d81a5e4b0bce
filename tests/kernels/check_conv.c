/* SPDX-License-Identifier: MIT */
/* conv_nchwc and conv_nchw: every tile width, partial groups, kernels with their paddings, VGG's depths, special numbers.
 * The bits must not depend on how rows are split. */
#include "check.h"

#include <string.h>

#include "base/cpu.h"
#include "kernels/ref.h"

/*   ic, oc   channels          oh, ow   output pixels
 *   L        lanes of a block of the output; the input's block is 1 channel for NCHW */
struct conv {
    int ic, oc, ih, iw, kernel, pad;
    int stride; /* 0: 1 */
    bool nchw, relu;
    enum check_fill x_fill, weight_fill;
    bool denormals_off;
};

/* The tensors of a case, NCHW, and the reference's results for them. */
struct tensors {
    float *x, *weight, *bias;
    double *y, *magnitude;
    int oh, ow;
};

static int stride_of(const struct conv *c)
{
    return c->stride > 0 ? c->stride : 1;
}

static struct tensors make_tensors(struct check *check, const struct conv *c)
{
    struct tensors t = {.oh = (c->ih + 2 * c->pad - c->kernel) / stride_of(c) + 1,
                        .ow = (c->iw + 2 * c->pad - c->kernel) / stride_of(c) + 1};
    const size_t x_count = (size_t)c->ic * (size_t)c->ih * (size_t)c->iw;
    const size_t weight_count =
        (size_t)c->oc * (size_t)c->ic * (size_t)c->kernel * (size_t)c->kernel;
    const size_t y_count = (size_t)c->oc * (size_t)t.oh * (size_t)t.ow;
    t.x = check_scratch(check, x_count, sizeof *t.x);
    t.weight = check_scratch(check, weight_count, sizeof *t.weight);
    t.bias = check_scratch(check, (size_t)c->oc, sizeof *t.bias);
    t.y = check_scratch(check, y_count, sizeof *t.y);
    t.magnitude = check_scratch(check, y_count, sizeof *t.magnitude);
    check_fill(check, t.x, x_count, c->x_fill);
    check_fill(check, t.weight, weight_count, c->weight_fill);
    check_fill(check, t.bias, (size_t)c->oc, FILL_ORDINARY);
    vgg_ref_conv(t.x, c->ic, c->ih, c->iw, t.weight, t.bias, c->oc, c->kernel, stride_of(c), c->pad,
                 t.y, t.magnitude);
    return t;
}

/* x in NCHWc, in blocks of `lanes` channels, with its padding, at the end of its page. */
static float *make_input(struct check *check, const struct conv *c, const float *x, int lanes)
{
    const int rows = c->ih + 2 * c->pad, columns = c->iw + 2 * c->pad;
    const size_t row = (size_t)columns * (size_t)lanes, plane = (size_t)rows * row;
    float *nchwc = check_input(check, plane * (size_t)check_ceil_div(c->ic, lanes), 0);
    for (int ic = 0; ic < c->ic; ic++) {
        for (int h = 0; h < c->ih; h++) {
            for (int w = 0; w < c->iw; w++) {
                nchwc[(size_t)(ic / lanes) * plane + (size_t)(h + c->pad) * row +
                      (size_t)(w + c->pad) * (size_t)lanes + (size_t)(ic % lanes)] = *x++;
            }
        }
    }
    return nchwc;
}

/* One group's weights and bias, prepacked as kernels.h describes. */
static void pack(const struct conv *c, const struct tensors *t, int group, int width, int ic_block,
                 float *weight, float *bias)
{
    for (int ic_first = 0; ic_first < c->ic; ic_first += ic_block) {
        for (int k = 0; k < c->kernel * c->kernel; k++) {
            for (int ic = ic_first; ic < ic_first + ic_block; ic++) {
                for (int lane = 0; lane < width; lane++) {
                    const int oc = group * width + lane;
                    const size_t from = ((size_t)oc * (size_t)c->ic + (size_t)ic) *
                                            (size_t)c->kernel * (size_t)c->kernel +
                                        (size_t)k;
                    *weight++ = oc < c->oc && ic < c->ic ? t->weight[from] : 0;
                }
            }
        }
    }
    for (int lane = 0; lane < width; lane++) {
        const int oc = group * width + lane;
        bias[lane] = oc < c->oc ? t->bias[oc] : 0;
    }
}

/* The output is NCHWc, with padding of one pixel that no kernel may touch. */
struct output {
    size_t row, plane, count; /* elements */
};

static struct output measure_output(const struct tensors *t, int oc, int lanes)
{
    struct output o;
    o.row = (size_t)(t->ow + 2) * (size_t)lanes;
    o.plane = (size_t)(t->oh + 2) * o.row;
    o.count = o.plane * (size_t)check_ceil_div(oc, lanes);
    return o;
}

/* All groups, in calls of at most `step` rows. */
static float *run(struct check *check, const struct conv *c, const struct tensors *t, int step)
{
    const struct vgg_kernels *kernels = check->kernels;
    const int lanes = kernels->lanes, width = kernels->conv_blocks * lanes;
    const int ic_block = c->nchw ? c->ic : lanes, ic_blocks = check_ceil_div(c->ic, ic_block);
    const int x_lanes = c->nchw ? 1 : lanes;
    const size_t sums = (size_t)ic_blocks * (size_t)ic_block * (size_t)(c->kernel * c->kernel);
    const struct output o = measure_output(t, c->oc, lanes);
    float *weight = check_input(check, sums * (size_t)width, 0);
    float *bias = check_input(check, (size_t)width, 0);
    float *y = check_output(check, o.count);
    const ptrdiff_t x_row = (ptrdiff_t)(c->iw + 2 * c->pad) * x_lanes;
    const ptrdiff_t x_plane = (ptrdiff_t)(c->ih + 2 * c->pad) * x_row;
    struct vgg_conv_args args = {
        .x = make_input(check, c, t->x, x_lanes),
        .x_block_stride = x_plane,
        .x_row_stride = x_row,
        .x_channel_stride = c->nchw ? x_plane : 1,
        .ic_blocks = ic_blocks,
        .ic_block = ic_block,
        .kernel = c->kernel,
        .stride = stride_of(c),
        .weight = weight,
        .bias = bias,
        .y_block_stride = (ptrdiff_t)o.plane,
        .y_row_stride = (ptrdiff_t)o.row,
        .ow = t->ow,
        .relu = c->relu,
    };
    const int blocks = check_ceil_div(c->oc, lanes);
    for (int group = 0; group * kernels->conv_blocks < blocks; group++) {
        const int first = group * kernels->conv_blocks, left = blocks - first;
        pack(c, t, group, width, ic_block, weight, bias);
        args.oc_blocks = left < kernels->conv_blocks ? left : kernels->conv_blocks;
        args.y = y + (size_t)first * o.plane + o.row + lanes;
        for (int oh = 0; oh < t->oh; oh += step) {
            args.oh_begin = oh;
            args.oh_end = oh + step < t->oh ? oh + step : t->oh;
            (c->nchw ? kernels->conv_nchw : kernels->conv_nchwc)(&args);
        }
    }
    return y;
}

/* Takes every pixel out of y; the rest must be canaries. */
static void compare(struct check *check, const struct conv *c, const struct tensors *t, float *y)
{
    const int lanes = check->kernels->lanes;
    const struct output o = measure_output(t, c->oc, lanes);
    const double sums = (double)c->ic * c->kernel * c->kernel;
    const bool finite = c->x_fill == FILL_ORDINARY && c->weight_fill == FILL_ORDINARY;
    for (int oc = 0; oc < check_ceil_div(c->oc, lanes) * lanes; oc++) {
        for (int oh = 0; oh < t->oh; oh++) {
            for (int ow = 0; ow < t->ow; ow++) {
                float got =
                    check_take(check, y + (size_t)(oc / lanes) * o.plane +
                                          (size_t)(oh + 1) * o.row + (ow + 1) * lanes + oc % lanes);
                if (oc >= c->oc) {
                    if (finite && got != 0) {
                        check_fail(check, "channel %d past the last one is %.9g", oc, (double)got);
                    }
                    continue;
                }
                size_t at = ((size_t)oc * (size_t)t->oh + (size_t)oh) * (size_t)t->ow + (size_t)ow;
                double want = c->relu ? check_relu(t->y[at]) : t->y[at];
                /* With denormals off, each operand and result below 2^-126 may become zero. */
                double slack = c->denormals_off ? 2 * (sums + 1) * 0x1p-126 : 0;
                check_value(check, "output", at, got, want, t->magnitude[at], sums + !check->fused,
                            slack);
            }
        }
    }
    check_untouched(check, y, o.count);
}

static void check_case(struct check *check, const struct conv *c)
{
    check_begin(check, "conv_%s %d->%d %dx%d kernel %d stride %d pad %d%s, %s x, %s weights%s",
                c->nchw ? "NCHW" : "NCHWc", c->ic, c->oc, c->ih, c->iw, c->kernel, stride_of(c),
                c->pad, c->relu ? " relu" : "", check_fill_string(c->x_fill),
                check_fill_string(c->weight_fill), c->denormals_off ? ", denormals off" : "");
    const struct tensors t = make_tensors(check, c);
    const size_t count = measure_output(&t, c->oc, check->kernels->lanes).count;
    const uint64_t mode = c->denormals_off ? vgg_denormals_off() : 0;
    float *y = run(check, c, &t, t.oh);
    const float *halves = run(check, c, &t, check_ceil_div(t.oh, 2));
    if (c->denormals_off) {
        vgg_denormals_restore(mode);
    }
    check_same(check, "rows in two calls", y, halves, count);
    /* Within one block of input channels both kernels sum in the same order. */
    if (c->nchw && c->ic <= check->kernels->lanes && c->x_fill == FILL_ORDINARY) {
        struct conv nchwc = *c;
        nchwc.nchw = false;
        check_same(check, "conv_nchwc", y, run(check, &nchwc, &t, t.oh), count);
    }
    if (c->ih < 9) {
        check_same(check, "rows one by one", y, run(check, c, &t, 1), count);
    }
    compare(check, c, &t, y);
    check_end(check);
}

static void check_sizes(struct check *check)
{
    /* Of any ISA. */
    enum { WIDEST_TILE = 14 };
    const int lanes = check->kernels->lanes, width = check->kernels->conv_blocks * lanes;
    for (int w = 1; w <= 2 * WIDEST_TILE + 1; w++) {
        check_case(check, &(struct conv){lanes + 1, width, 3, w, 3, 1, .relu = w % 2 == 0});
        check_case(check, &(struct conv){3, width + 1, 4, w, 3, 1, .nchw = true});
    }
    const int channels[] = {1, lanes - 1, lanes, lanes + 1, 2 * lanes + 1, width, width + 1};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        for (size_t o = 0; o < sizeof channels / sizeof *channels; o++) {
            check_case(check, &(struct conv){channels[i], channels[o], 4, 5, 3, 1,
                                             .nchw = (i + o) % 3 == 0, .relu = o % 2 == 0});
        }
    }
    for (int kernel = 1; kernel <= 7; kernel += 2) {
        for (int pad = 0; pad < kernel; pad++) {
            check_case(check,
                       &(struct conv){lanes + 2, width - 1, 8, 9, kernel, pad, .relu = true});
            check_case(check,
                       &(struct conv){3, 2 * width + lanes, 9, 8, kernel, pad, .nchw = true});
            for (int stride = 2; stride <= 4; stride++) {
                check_case(check, &(struct conv){lanes + 2, width + 1, 10, 11, kernel, pad, stride,
                                                 .nchw = pad == 1, .relu = pad == 0});
            }
        }
    }
}

/* VGG's layers, with few output channels and rows, so that the reference is quick. */
static void check_vgg(struct check *check)
{
    static const struct conv layers[] = {
        {512, 37, 14, 14, 3, 1, .relu = true}, {256, 37, 28, 28, 3, 1, .relu = true},
        {128, 37, 14, 56, 3, 1, .relu = true}, {64, 70, 7, 112, 3, 1, .relu = true},
        {64, 37, 9, 224, 3, 1, .relu = true},  {3, 64, 32, 224, 3, 1, .nchw = true, .relu = true},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        check_case(check, &layers[i]);
    }
}

static void check_special(struct check *check)
{
    const int lanes = check->kernels->lanes, width = check->kernels->conv_blocks * lanes;
    for (int fill = 0; fill < FILL_MIXED; fill++) {
        const enum check_fill other = fill == FILL_OVERFLOW ? FILL_POSITIVE : FILL_ORDINARY;
        for (int relu = 0; relu < 2; relu++) {
            struct conv c = {3,
                             width + 1,
                             6,
                             9,
                             3,
                             1,
                             .relu = relu,
                             .x_fill = (enum check_fill)fill,
                             .weight_fill = other};
            c.nchw = true;
            check_case(check, &c);
            c.nchw = false;
            c.ic = lanes + 1;
            check_case(check, &c);
            c.denormals_off = fill == FILL_DENORMAL || fill == FILL_ZERO;
            if (c.denormals_off) {
                check_case(check, &c);
            }
            /* No padding: the result of its zeros times an infinite weight is unspecified. */
            c = (struct conv){lanes,
                              width,
                              6,
                              9,
                              3,
                              0,
                              .relu = relu,
                              .x_fill = other,
                              .weight_fill = (enum check_fill)fill};
            check_case(check, &c);
        }
    }
}

static void check_strides(struct check *check)
{
    for (int i = 0; i < 60; i++) {
        struct conv c = {.ic = check_range(check, 1, 20),
                         .oc = check_range(check, 1, 40),
                         .kernel = check_range(check, 1, 5),
                         .stride = 2 + i / 2 % 4,
                         .nchw = i % 2 != 0};
        c.pad = check_range(check, 0, c.kernel);
        c.ih = check_range(check, c.kernel, 9);
        c.iw = check_range(check, c.kernel, 30 * c.stride);
        check_case(check, &c);
    }
}

void check_conv(struct check *check)
{
    check_sizes(check);
    check_strides(check);
    check_vgg(check);
    check_special(check);
    for (int i = 0; i < 40; i++) {
        check_seed(check, "random convolution %d", i);
        struct conv c = {.ic = check_range(check, 1, 40),
                         .oc = check_range(check, 1, 80),
                         .kernel = 1 + 2 * check_range(check, 0, 2),
                         .nchw = check_range(check, 0, 1) != 0,
                         .relu = check_range(check, 0, 1) != 0};
        c.pad = check_range(check, 0, c.kernel / 2);
        c.ih = check_range(check, c.kernel, 12);
        c.iw = check_range(check, c.kernel, 40);
        check_case(check, &c);
    }
}
