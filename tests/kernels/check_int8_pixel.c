/* SPDX-License-Identifier: MIT */
/* Quantisation of the net's input, and max-pool: every width, gaps between rows; ties, NaN, infinite and huge numbers. */
#include "check_int8.h"

#include <math.h>

/* --- quantize --------------------------------------------------------------------------------- */

struct quantize {
    int channels, h, w;
    enum check_fill fill;
    bool ties; /* steps and numbers whose quotients are halves */
};

static void compare_quantized(struct check *check, const struct vgg_int8_quantize_args *a)
{
    for (int h = 0; h < a->h_end; h++) {
        for (int i = 0; i < a->w * VGG_INT8_INPUT_BLOCK; i++) {
            const int w = i / VGG_INT8_INPUT_BLOCK, c = i % VGG_INT8_INPUT_BLOCK;
            uint8_t want = 0;
            if (c < a->channels) {
                const float x = a->x[c * a->x_channel_stride + h * a->x_row_stride + w];
                /* Twice as exact, then rounded: both operations. */
                const float from_low = (float)((double)x - (double)a->low[c]);
                want = check_int8_byte((double)(float)((double)from_low * (double)a->inverse[c]));
            }
            const uint8_t got = check_take_byte(check, a->y + h * a->y_row_stride + i);
            if (got != want) {
                check_fail(check, "channel %d at %d, %d: expected %d, got %d", c, h, w, want, got);
            }
        }
    }
}

static void check_quantize(struct check *check, const struct quantize *q)
{
    check_begin(check, "int8 quantize %d channels %dx%d, %s numbers%s", q->channels, q->h, q->w,
                check_fill_string(q->fill), q->ties ? ", ties" : "");
    const size_t channels = (size_t)q->channels, h = (size_t)q->h, w = (size_t)q->w;
    const size_t x_row = w + (size_t)check_range(check, 0, 3);
    const size_t x_channel = h * x_row + (size_t)check_range(check, 0, 3);
    const size_t y_row =
        w + (size_t)check_range(check, 0, 2); /* in pixels: of four bytes, like floats */
    const size_t x_count = (channels - 1) * x_channel + (h - 1) * x_row + w;
    float *x = check_input(check, x_count, 0), *low = check_input(check, channels, 0);
    float *inverse = check_input(check, channels, 0), *y = check_output(check, h * y_row);
    check_fill(check, x, x_count, q->fill);
    for (size_t c = 0; c < channels; c++) {
        low[c] = (float)check_range(check, -300, 10) / 128;
        inverse[c] = (float)check_range(check, 1, 5000) / 32;
    }
    for (size_t i = 0; q->ties && i < x_count; i++) {
        x[i] = (float)check_range(check, -700, 700) / 128;
    }
    for (size_t c = 0; q->ties && c < channels; c++) {
        inverse[c] = 64;
    }
    struct vgg_int8_quantize_args args = {
        .x = x,
        .x_channel_stride = (ptrdiff_t)x_channel,
        .x_row_stride = (ptrdiff_t)x_row,
        .channels = q->channels,
        .low = low,
        .inverse = inverse,
        .y = (uint8_t *)y,
        .y_row_stride = (ptrdiff_t)y_row * VGG_INT8_INPUT_BLOCK,
        .w = q->w,
    };
    const int cut = check_range(check, 0, q->h);
    args.h_end = cut;
    check->int8->quantize(&args);
    args.h_begin = cut;
    args.h_end = q->h;
    check->int8->quantize(&args);
    compare_quantized(check, &args);
    check_untouched(check, y, h * y_row);
    check_end(check);
}

/* --- max-pool --------------------------------------------------------------------------------- */

static void check_max_pool(struct check *check, int kernel, int stride, int oh, int ow)
{
    check_begin(check, "int8 max_pool kernel %d stride %d -> %dx%d", kernel, stride, oh, ow);
    const int ih = (oh - 1) * stride + kernel, iw = (ow - 1) * stride + kernel;
    const ptrdiff_t x_row = (iw + check_range(check, 0, 2)) * (ptrdiff_t)VGG_INT8_BLOCK;
    const ptrdiff_t y_row = (ow + check_range(check, 0, 2)) * (ptrdiff_t)VGG_INT8_BLOCK;
    const size_t x_bytes = (size_t)((ih - 1) * x_row + (ptrdiff_t)iw * VGG_INT8_BLOCK);
    const size_t y_floats = (size_t)(oh * y_row) / sizeof(float);
    float *y = check_output(check, y_floats);
    struct vgg_int8_max_pool_args args = {
        .x = check_int8_input(check, x_bytes, BYTES_ANY),
        .x_row_stride = x_row,
        .y = (uint8_t *)y,
        .y_row_stride = y_row,
        .kernel = kernel,
        .stride = stride,
        .ow = ow,
    };
    const int cut = check_range(check, 0, oh);
    args.oh_end = cut;
    check->int8->max_pool(&args);
    args.oh_begin = cut;
    args.oh_end = oh;
    check->int8->max_pool(&args);
    for (int i = 0; i < oh * ow * VGG_INT8_BLOCK; i++) {
        const int c = i % VGG_INT8_BLOCK, w = i / VGG_INT8_BLOCK % ow, h = i / VGG_INT8_BLOCK / ow;
        uint8_t want = 0;
        for (int k = 0; k < kernel * kernel; k++) {
            const uint8_t x = args.x[(h * stride + k / kernel) * x_row +
                                     (ptrdiff_t)(w * stride + k % kernel) * VGG_INT8_BLOCK + c];
            want = x > want ? x : want;
        }
        const uint8_t got =
            check_take_byte(check, args.y + h * y_row + (ptrdiff_t)w * VGG_INT8_BLOCK + c);
        if (got != want) {
            check_fail(check, "channel %d at %d, %d: expected %d, got %d", c, h, w, want, got);
        }
    }
    check_untouched(check, y, y_floats);
    check_end(check);
}

/* `peak` must do the work that it counts: its operations and its sums follow from the number of iterations. */
static void check_peak(struct check *check)
{
    struct vgg_int8_peak_args args = {.iterations = 30}, once = {.iterations = 1};
    check_begin(check, "peak");
    check->int8->peak(&args);
    check->int8->peak(&once);
    check_note(check, (uint32_t)args.result);
    if (once.operations < 2 * VGG_INT8_GROUP || args.operations != 30 * once.operations ||
        args.result == 0 || args.result == once.result) {
        check_fail(check, "%g operations and %d, %g and %d", once.operations, once.result,
                   args.operations, args.result);
    }
    check_end(check);
}

void check_int8_pixel(struct check *check)
{
    check_peak(check);
    for (int w = 1; w <= 50; w++) {
        check_quantize(check,
                       &(struct quantize){1 + w % 4, 3, w, FILL_ORDINARY, .ties = w % 3 == 0});
    }
    for (int channels = 1; channels <= 4; channels++) {
        for (int fill = 0; fill < FILL_KINDS; fill++) {
            check_quantize(check,
                           &(struct quantize){channels, 3, 37, .fill = (enum check_fill)fill});
        }
        check_quantize(check, &(struct quantize){channels, 20, 100, .ties = true});
    }
    check_quantize(check, &(struct quantize){3, 224, 224, .fill = FILL_ORDINARY});
    for (int kernel = 1; kernel <= 3; kernel++) {
        for (int stride = 1; stride <= 3; stride++) {
            for (int side = 1; side <= 8; side++) {
                check_max_pool(check, kernel, stride, side, side + 1);
            }
        }
    }
}
