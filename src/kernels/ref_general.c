/* SPDX-License-Identifier: MIT */
/* The oracle of the kernels in general_kernels.h; see ref_general.h. */
#include "kernels/ref_general.h"

#include <float.h>
#include <math.h>

/* Whether the window's pixel (kh, kw) for output (oh, ow) is in the input; *at receives which it is. */
static int find_pixel(const struct vgg_ref_window *window, struct vgg_sides out, struct vgg_sides k,
                      struct vgg_sides *at)
{
    at->h = out.h * window->stride.h + k.h * window->dilation.h - window->before.h;
    at->w = out.w * window->stride.w + k.w * window->dilation.w - window->before.w;
    return at->h >= 0 && at->h < window->in.h && at->w >= 0 && at->w < window->in.w;
}

/* Adds what one window of one channel gives. */
static void add_window(const struct vgg_ref_window *window, struct vgg_sides out, const float *x,
                       const float *weight, double *y, double *magnitude)
{
    struct vgg_sides k, at;
    for (k.h = 0; k.h < window->kernel.h; k.h++) {
        for (k.w = 0; k.w < window->kernel.w; k.w++) {
            if (find_pixel(window, out, k, &at)) {
                const double term = (double)x[(size_t)at.h * (size_t)window->in.w + (size_t)at.w] *
                                    (double)weight[k.h * window->kernel.w + k.w];
                *y += term;
                *magnitude += fabs(term);
            }
        }
    }
}

void vgg_ref_general_conv(const struct vgg_ref_window *window, int ic, const float *x,
                          const float *weight, float bias, double *y, double *magnitude)
{
    const size_t plane = (size_t)window->in.h * (size_t)window->in.w;
    const size_t area = (size_t)window->kernel.h * (size_t)window->kernel.w;
    struct vgg_sides out;
    for (out.h = 0; out.h < window->out.h; out.h++) {
        for (out.w = 0; out.w < window->out.w; out.w++, y++, magnitude++) {
            *y = (double)bias;
            *magnitude = fabs(*y);
            for (size_t c = 0; c < (size_t)ic; c++) {
                add_window(window, out, x + c * plane, weight + c * area, y, magnitude);
            }
        }
    }
}

/* The pixels of a window: maximum, sum, sum of absolute values; how many they are, also with those of the padding. */
struct pixels {
    double max, sum, magnitude;
    int count, padded;
};

static struct pixels read_window(const struct vgg_ref_window *window, struct vgg_sides out,
                                 const float *x)
{
    struct pixels pixels = {.max = -HUGE_VAL};
    struct vgg_sides k, at;
    for (k.h = 0; k.h < window->kernel.h; k.h++) {
        for (k.w = 0; k.w < window->kernel.w; k.w++) {
            const int inside = find_pixel(window, out, k, &at);
            pixels.padded +=
                at.h < window->in.h + window->after.h && at.w < window->in.w + window->after.w;
            if (inside) {
                const double value = (double)x[(size_t)at.h * (size_t)window->in.w + (size_t)at.w];
                pixels.max = isnan(value) || value > pixels.max ? value : pixels.max;
                pixels.sum += value;
                pixels.magnitude += fabs(value);
                pixels.count++;
            }
        }
    }
    return pixels;
}

void vgg_ref_general_pool(const struct vgg_ref_window *window, int average, int count_padding,
                          const float *x, double *y, double *magnitude)
{
    struct vgg_sides out;
    for (out.h = 0; out.h < window->out.h; out.h++) {
        for (out.w = 0; out.w < window->out.w; out.w++) {
            const struct pixels pixels = read_window(window, out, x);
            const int count = pixels.count == 0 ? 1 : count_padding ? pixels.padded : pixels.count;
            *y++ = average ? pixels.sum / count : pixels.max;
            *magnitude++ = average ? pixels.magnitude / count : 0;
        }
    }
}

void vgg_ref_adaptive_max_pool(struct vgg_sides in, struct vgg_sides out, const float *x, double *y)
{
    for (int h = 0; h < out.h; h++) {
        for (int w = 0; w < out.w; w++) {
            const int top = h * in.h / out.h, left = w * in.w / out.w;
            const struct vgg_ref_window window = {
                .in = in,
                .kernel = {((h + 1) * in.h + out.h - 1) / out.h - top,
                           ((w + 1) * in.w + out.w - 1) / out.w - left},
                .dilation = {1, 1},
                .before = {-top, -left},
            };
            *y++ = read_window(&window, (struct vgg_sides){0, 0}, x).max;
        }
    }
}

static double clamp(double x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

/* What float32 makes of it. */
static double limit(double x)
{
    return fabs(x) > (double)FLT_MAX ? copysign(HUGE_VAL, x) : x;
}

double vgg_ref_function(enum vgg_function function, double x, double slope)
{
    switch (function) {
    case VGG_FUNCTION_LEAKY_RELU:
        return x > 0 ? x : slope * x;
    case VGG_FUNCTION_ELU:
        return x > 0 ? x : slope * expm1(x);
    case VGG_FUNCTION_GELU:
        return x / 2 * erfc(-x / sqrt(2));
    case VGG_FUNCTION_GELU_TANH:
        return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case VGG_FUNCTION_SILU:
        return x / (1 + exp(-x));
    case VGG_FUNCTION_TANH:
        return tanh(x);
    case VGG_FUNCTION_SIGMOID:
        return 1 / (1 + exp(-x));
    case VGG_FUNCTION_HARDSWISH:
        return limit(x * clamp(x + 3)) / 6;
    case VGG_FUNCTION_RELU6:
        return clamp(x);
    case VGG_FUNCTIONS:
        break;
    }
    return x;
}
