/* SPDX-License-Identifier: MIT */
/* What each layer computes, in plain loops and double precision; see general_net.h. */
#include "general_net.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

size_t general_count(struct vgg_shape shape)
{
    return (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
}

static float *read_values(const struct vgg_tensor *tensor)
{
    float *values = NULL;
    if (tensor != NULL) {
        values = malloc((size_t)vgg_tensor_get_count(tensor) * sizeof *values);
        ck_assert_ptr_nonnull(values);
        vgg_tensor_read_f32(tensor, values);
    }
    return values;
}

static double get(const double *in, struct vgg_shape shape, int c, int h, int w)
{
    return in[((size_t)c * (size_t)shape.h + (size_t)h) * (size_t)shape.w + (size_t)w];
}

static bool is_inside(struct vgg_shape shape, int h, int w)
{
    return h >= 0 && h < shape.h && w >= 0 && w < shape.w;
}

struct tensors {
    const float *weight, *bias;
};

static double compute_conv_at(const struct vgg_general_conv *conv, const struct tensors *tensors,
                              struct vgg_shape in_shape, const double *in, struct vgg_shape at)
{
    const struct vgg_window *win = &conv->window;
    const int ic = conv->ic / conv->groups, first = at.c / (conv->oc / conv->groups) * ic;
    double sum = tensors->bias != NULL ? (double)tensors->bias[at.c] : 0;
    const float *weight =
        tensors->weight + (size_t)at.c * (size_t)(ic * win->kernel.h * win->kernel.w);
    for (int c = 0; c < ic; c++) {
        for (int kh = 0; kh < win->kernel.h; kh++) {
            for (int kw = 0; kw < win->kernel.w; kw++, weight++) {
                const int h = at.h * win->stride.h + kh * win->dilation.h - win->padding.top;
                const int w = at.w * win->stride.w + kw * win->dilation.w - win->padding.left;
                if (is_inside(in_shape, h, w)) {
                    sum += get(in, in_shape, first + c, h, w) * (double)*weight;
                }
            }
        }
    }
    return sum;
}

/* Pixels of a window: in the input, and in the input with its padding. */
struct window_sums {
    double max, sum;
    int inside, padded;
};

static struct window_sums sum_window(const struct vgg_window *win, struct vgg_shape in_shape,
                                     const double *in, struct vgg_shape at)
{
    struct window_sums sums = {.max = -HUGE_VAL};
    for (int kh = 0; kh < win->kernel.h; kh++) {
        for (int kw = 0; kw < win->kernel.w; kw++) {
            const int h = at.h * win->stride.h + kh * win->dilation.h - win->padding.top;
            const int w = at.w * win->stride.w + kw * win->dilation.w - win->padding.left;
            sums.padded +=
                h < in_shape.h + win->padding.bottom && w < in_shape.w + win->padding.right;
            if (is_inside(in_shape, h, w)) {
                const double value = get(in, in_shape, at.c, h, w);
                sums.max = isnan(value) || value > sums.max ? value : sums.max;
                sums.sum += value;
                sums.inside++;
            }
        }
    }
    return sums;
}

static double compute_pool_at(const struct vgg_general_pool *pool, struct vgg_shape in_shape,
                              const double *in, struct vgg_shape at)
{
    const struct window_sums sums = sum_window(&pool->window, in_shape, in, at);
    if (!pool->average) {
        return sums.max;
    }
    return sums.inside == 0 ? 0 : sums.sum / (pool->count_include_pad ? sums.padded : sums.inside);
}

/* A window of an adaptive pool as one of a pool. */
static struct vgg_general_pool make_adaptive(const struct vgg_node *node, struct vgg_shape in,
                                             struct vgg_shape out, struct vgg_shape *at)
{
    const int h = at->h * in.h / out.h, h_end = ((at->h + 1) * in.h + out.h - 1) / out.h;
    const int w = at->w * in.w / out.w, w_end = ((at->w + 1) * in.w + out.w - 1) / out.w;
    struct vgg_general_pool pool = {.window = vgg_window_square(1, 1, 0)};
    pool.window.kernel = (struct vgg_pixels){h_end - h, w_end - w};
    pool.window.padding = (struct vgg_margins){-h, -w, 0, 0};
    pool.average =
        node->op == VGG_OP_ADAPTIVE_AVG_POOL || (node->op == VGG_OP_CONCAT_POOL && at->c >= in.c);
    *at = (struct vgg_shape){at->c % in.c, 0, 0};
    return pool;
}

static double compute_function(const struct vgg_activation_op *op, double x, double slope)
{
    switch (op->kind) {
    case VGG_ACTIVATION_RELU:
        return fmax(x, 0);
    case VGG_ACTIVATION_LEAKY_RELU:
    case VGG_ACTIVATION_PRELU:
        return x > 0 ? x : slope * x;
    case VGG_ACTIVATION_ELU:
        return x > 0 ? x : slope * expm1(x);
    case VGG_ACTIVATION_GELU:
        return x * 0.5 * (1 + erf(x / sqrt(2)));
    case VGG_ACTIVATION_GELU_TANH:
        return x * 0.5 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case VGG_ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case VGG_ACTIVATION_TANH:
        return tanh(x);
    case VGG_ACTIVATION_SIGMOID:
        return 1 / (1 + exp(-x));
    case VGG_ACTIVATION_HARDSWISH:
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    case VGG_ACTIVATION_RELU6:
        return fmin(fmax(x, 0), 6);
    }
    return x;
}

static void compute_functions(const struct vgg_node *node, struct vgg_shape shape, const double *in,
                              double *out)
{
    const struct vgg_activation_op *op = &node->activation;
    const size_t plane = (size_t)shape.h * (size_t)shape.w;
    float *slopes = read_values(op->slopes);
    const bool each = slopes != NULL && vgg_tensor_get_count(op->slopes) > 1;
    for (size_t i = 0; i < general_count(shape); i++) {
        const double slope =
            slopes != NULL ? (double)slopes[each ? i / plane : 0] : (double)(float)op->slope;
        out[i] = compute_function(op, in[i], slope);
    }
    free(slopes);
}

static void compute_norm(const struct vgg_batch_norm *norm, struct vgg_shape shape,
                         const double *in, double *out)
{
    const size_t plane = (size_t)shape.h * (size_t)shape.w;
    float *gamma = read_values(norm->weight), *beta = read_values(norm->bias);
    float *mean = read_values(norm->running_mean), *var = read_values(norm->running_var);
    for (size_t i = 0; i < general_count(shape); i++) {
        const size_t c = i / plane;
        out[i] = (in[i] - (double)mean[c]) / sqrt((double)var[c] + norm->eps);
        out[i] = gamma != NULL ? out[i] * (double)gamma[c] + (double)beta[c] : out[i];
    }
    free(gamma);
    free(beta);
    free(mean);
    free(var);
}

static void compute_softmax(bool log_of, struct vgg_shape shape, const double *in, double *out)
{
    const size_t plane = (size_t)shape.h * (size_t)shape.w;
    for (size_t p = 0; p < plane; p++) {
        double max = -HUGE_VAL, sum = 0;
        for (size_t c = 0; c < (size_t)shape.c; c++) {
            max = fmax(max, in[c * plane + p]);
        }
        for (size_t c = 0; c < (size_t)shape.c; c++) {
            sum += exp(in[c * plane + p] - max);
        }
        for (size_t c = 0; c < (size_t)shape.c; c++) {
            const double x = in[c * plane + p] - max;
            out[c * plane + p] = log_of ? x - log(sum) : exp(x) / sum;
        }
    }
}

/* Convolutions and linear layers as one of all forms. */
static struct vgg_general_conv make_general(const struct vgg_node *node)
{
    const struct vgg_conv2d *conv = &node->conv;
    const struct vgg_linear *linear = &node->linear;
    if (node->op == VGG_OP_CONV2D) {
        return (struct vgg_general_conv){
            conv->ic,
            conv->oc,
            1,
            vgg_window_square(conv->kernel, conv->stride, conv->padding),
            conv->weight,
            conv->bias};
    }
    if (node->op == VGG_OP_LINEAR) {
        return (struct vgg_general_conv){
            linear->in_features,        linear->out_features, 1,
            vgg_window_square(1, 1, 0), linear->weight,       linear->bias};
    }
    return node->general_conv;
}

/* Layers that compute pixel by pixel. */
static double compute_at(const struct vgg_node *node, const struct vgg_shape shapes[2],
                         const double *in, struct vgg_shape at)
{
    struct vgg_general_pool pool;
    switch (node->op) {
    case VGG_OP_MAX_POOL:
        pool = (struct vgg_general_pool){
            .window = vgg_window_square(node->max_pool.kernel, node->max_pool.stride, 0)};
        return compute_pool_at(&pool, shapes[0], in, at);
    case VGG_OP_GENERAL_POOL:
        return compute_pool_at(&node->general_pool, shapes[0], in, at);
    case VGG_OP_ADAPTIVE_AVG_POOL:
    case VGG_OP_ADAPTIVE_MAX_POOL:
    case VGG_OP_CONCAT_POOL:
        pool = make_adaptive(node, shapes[0], shapes[1], &at);
        return compute_pool_at(&pool, shapes[0], in, at);
    case VGG_OP_ZERO_PAD:
        at.h -= node->zero_pad.top;
        at.w -= node->zero_pad.left;
        return is_inside(shapes[0], at.h, at.w) ? get(in, shapes[0], at.c, at.h, at.w) : 0;
    default:
        ck_abort_msg("no such layer");
        return 0;
    }
}

static void compute_pixels(const struct vgg_node *node, const struct vgg_shape shapes[2],
                           const double *in, double *out)
{
    const bool weights =
        node->op == VGG_OP_CONV2D || node->op == VGG_OP_LINEAR || node->op == VGG_OP_GENERAL_CONV;
    const struct vgg_general_conv conv = make_general(node);
    float *weight = weights ? read_values(conv.weight) : NULL;
    float *bias = weights ? read_values(conv.bias) : NULL;
    for (int c = 0; c < shapes[1].c; c++) {
        for (int h = 0; h < shapes[1].h; h++) {
            for (int w = 0; w < shapes[1].w; w++) {
                const struct vgg_shape at = {c, h, w};
                *out++ = weights ? compute_conv_at(&conv, &(struct tensors){weight, bias},
                                                   shapes[0], in, at)
                                 : compute_at(node, shapes, in, at);
            }
        }
    }
    free(weight);
    free(bias);
}

double *general_compute(const struct vgg_node *node, struct vgg_shape *shape, const double *in)
{
    struct vgg_shape shapes[2] = {*shape};
    ck_assert_int_eq(vgg_node_infer_shape(node, *shape, &shapes[1], "net", NULL), VGG_OK);
    const size_t count = general_count(shapes[1]);
    double *out = malloc(count * sizeof *out);
    ck_assert_ptr_nonnull(out);
    *shape = shapes[1];
    switch (node->op) {
    case VGG_OP_DROPOUT:
    case VGG_OP_FLATTEN:
    case VGG_OP_RELU:
        for (size_t i = 0; i < count; i++) {
            out[i] = node->op == VGG_OP_RELU ? fmax(in[i], 0) : in[i];
        }
        break;
    case VGG_OP_BATCH_NORM:
        compute_norm(&node->norm, shapes[0], in, out);
        break;
    case VGG_OP_ACTIVATION:
        compute_functions(node, shapes[0], in, out);
        break;
    case VGG_OP_SOFTMAX:
        compute_softmax(node->softmax.log, shapes[0], in, out);
        break;
    default:
        compute_pixels(node, shapes, in, out);
        break;
    }
    return out;
}
