/* SPDX-License-Identifier: MIT */
/* The int8 plan's test net; see int8_net.h. */
#include "int8_net.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/tensor/tensor.h"

static int next(uint32_t *random, int low, int high)
{
    *random = *random * 1664525u + 1013904223u;
    return low + (int)((*random >> 8) % (uint32_t)(high - low + 1));
}

static struct vgg_tensor *add_tensor(struct net *net, enum vgg_dtype dtype, enum vgg_layout layout,
                                     int a, int b, int side)
{
    ck_assert_uint_lt(net->tensor_count, NET_TENSORS);
    struct vgg_tensor *tensor = &net->tensors[net->tensor_count++];
    uint64_t elements;
    *tensor = (struct vgg_tensor){.name = "tensor",
                                  .dtype = dtype,
                                  .ndim = side > 0 ? 4
                                          : b > 0  ? 2
                                                   : 1,
                                  .shape = {a, b, side, side},
                                  .stride = {layout == VGG_LAYOUT_ROWS},
                                  .layout = layout};
    ck_assert(vgg_layout_get(layout)->measure(tensor->shape, tensor->ndim, &elements));
    tensor->data = calloc(elements, vgg_dtype_get_bytes(dtype));
    ck_assert_ptr_nonnull(tensor->data);
    return tensor;
}

/* Weights, their sums, biases and scales of a layer with `rows` rows of `count` weights: such that outputs of
 * bytes of about 100 are bytes of about 100. */
static struct vgg_int8_layer add_layer(struct net *net, const struct vgg_tensor *weight, int rows,
                                       int count, const struct vgg_tensor **bias, bool logits)
{
    struct vgg_tensor *biases = add_tensor(net, VGG_DTYPE_I32, VGG_LAYOUT_ROWS, rows, 0, 0);
    struct vgg_tensor *scales = add_tensor(net, VGG_DTYPE_F32, VGG_LAYOUT_ROWS, rows, 0, 0);
    struct vgg_tensor *sums = add_tensor(net, VGG_DTYPE_I32, VGG_LAYOUT_ROWS, rows, 0, 0);
    for (int row = 0; row < rows; row++) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            const int64_t position = (int64_t)row * count + i;
            const int8_t value = (int8_t)next(&net->random, -127, 127);
            memcpy((char *)(uintptr_t)vgg_tensor_get_address(weight, position), &value, 1);
            sum += value;
        }
        ((int32_t *)(uintptr_t)sums->data)[row] = sum;
        ((int32_t *)(uintptr_t)biases->data)[row] = next(&net->random, -200000, 200000);
        ((float *)(uintptr_t)scales->data)[row] =
            (float)next(&net->random, 500, 1500) * 1e-3f / (70 * sqrtf((float)count));
    }
    *bias = biases;
    return (struct vgg_int8_layer){.weight_scale = scales,
                                   .weight_sum = sums,
                                   .input_scale = net->count == 0 ? 1 : 0.5f,
                                   .output_scale = logits ? 0 : 0.5f};
}

static void add(struct net *net, struct vgg_node node)
{
    ck_assert_uint_lt(net->count, NET_NODES);
    net->nodes[net->count++] = node;
}

static void add_conv(struct net *net, int ic, int oc, int kernel, int stride)
{
    struct vgg_node node = {.op = VGG_OP_CONV2D, .name = "conv"};
    const enum vgg_layout layout = net->count == 0 ? VGG_LAYOUT_INT8_INPUT : VGG_LAYOUT_INT8;
    node.conv = (struct vgg_conv2d){
        .ic = ic, .oc = oc, .kernel = kernel, .stride = stride, .padding = kernel / 2};
    node.conv.weight = add_tensor(net, VGG_DTYPE_I8, layout, oc, ic, kernel);
    node.int8 = add_layer(net, node.conv.weight, oc, ic * kernel * kernel, &node.conv.bias, false);
    add(net, node);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "relu"});
}

static void add_pool(struct net *net, int kernel, int stride)
{
    struct vgg_node node = {.op = VGG_OP_MAX_POOL, .name = "pool"};
    node.max_pool = (struct vgg_max_pool){.kernel = kernel, .stride = stride};
    add(net, node);
}

static void add_linear(struct net *net, int in, int out, bool logits)
{
    struct vgg_node node = {.op = VGG_OP_LINEAR, .name = "linear"};
    node.linear = (struct vgg_linear){.in_features = in, .out_features = out};
    node.linear.weight = add_tensor(net, VGG_DTYPE_I8, VGG_LAYOUT_INT8, out, in, 0);
    node.int8 = add_layer(net, node.linear.weight, out, in, &node.linear.bias, logits);
    add(net, node);
}

struct int8_net *int8_net_create(void)
{
    struct int8_net *made = calloc(1, sizeof *made);
    ck_assert_ptr_nonnull(made);
    struct net *net = &made->net;
    net->random = 5;
    for (int c = 0; c < 3; c++) {
        made->grid.low[c] = -1.0f - 0.1f * (float)c;
        made->grid.step[c] = 0.01f + 0.002f * (float)c;
    }
    add_conv(net, 3, 20, 3, 1);
    add_conv(net, 20, 70, 3, 1);
    add_pool(net, 2, 2);
    add_conv(net, 70, 33, 5, 2);
    add_pool(net, 3, 2);
    add_conv(net, 33, 130, 1, 1);
    struct vgg_node average = {.op = VGG_OP_ADAPTIVE_AVG_POOL, .name = "avgpool"};
    average.adaptive_pool = (struct vgg_adaptive_pool){.oh = 2, .ow = 3};
    add(net, average);
    add(net, (struct vgg_node){.op = VGG_OP_FLATTEN, .name = "flatten"});
    add_linear(net, 130 * 2 * 3, 75, false);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "relu"});
    add(net, (struct vgg_node){.op = VGG_OP_DROPOUT, .name = "dropout"});
    add_linear(net, 75, NET_CLASSES, true);
    return made;
}

void int8_net_destroy(struct int8_net *net)
{
    for (size_t i = 0; i < net->net.tensor_count; i++) {
        free((void *)(uintptr_t)net->net.tensors[i].data);
    }
    free(net);
}

/* --- one node after the other ----------------------------------------------------------------- */

static uint8_t to_byte(float x)
{
    const float q = rintf(x);
    return (uint8_t)(q > 0 ? q < 255 ? q : 255 : 0);
}

static int weight_at(const struct vgg_tensor *weight, int64_t position)
{
    float value;
    vgg_tensor_read_range(weight, position, 1, &value);
    return (int)value;
}

/* What a sum becomes: a byte for layers with an output scale. */
static float finish(const struct vgg_node *node, const struct vgg_tensor *bias, int oc, int64_t sum)
{
    const struct vgg_int8_layer *int8 = &node->int8;
    const double made = int8->output_scale > 0 ? (double)int8->output_scale : 1;
    const double scale =
        (double)int8->input_scale * (double)((const float *)int8->weight_scale->data)[oc] / made;
    sum += ((const int32_t *)bias->data)[oc];
    ck_assert(sum >= INT32_MIN && sum <= INT32_MAX);
    const float y = (float)sum * (float)scale;
    return int8->output_scale > 0 ? (float)to_byte(y) : y;
}

/* zero  the byte of each input channel that a frame has */
static void compute_conv(const struct vgg_node *node, struct vgg_shape in, struct vgg_shape out,
                         const uint8_t *zero, const float *x, float *y)
{
    const struct vgg_conv2d *conv = &node->conv;
    const int k = conv->kernel;
    int *weights = calloc((size_t)(out.c * in.c * k * k), sizeof *weights);
    ck_assert_ptr_nonnull(weights);
    for (int64_t i = 0; i < (int64_t)out.c * in.c * k * k; i++) {
        weights[i] = weight_at(conv->weight, i);
    }
    for (int i = 0; i < out.c * out.h * out.w; i++) {
        const int oc = i / (out.h * out.w), oh = i / out.w % out.h, ow = i % out.w;
        int64_t sum = 0;
        for (int j = 0; j < in.c * k * k; j++) {
            const int ic = j / (k * k), h = oh * conv->stride + j / k % k - conv->padding;
            const int w = ow * conv->stride + j % k - conv->padding;
            const bool inside = h >= 0 && h < in.h && w >= 0 && w < in.w;
            const int q = inside ? (int)x[(ic * in.h + h) * in.w + w] : zero[ic];
            sum += q * weights[oc * in.c * k * k + j];
        }
        y[i] = finish(node, conv->bias, oc, sum);
    }
    free(weights);
}

static void compute_pool(const struct vgg_max_pool *pool, struct vgg_shape in, struct vgg_shape out,
                         const float *x, float *y)
{
    for (int i = 0; i < out.c * out.h * out.w; i++) {
        const int c = i / (out.h * out.w), oh = i / out.w % out.h, ow = i % out.w;
        y[i] = 0;
        for (int j = 0; j < pool->kernel * pool->kernel; j++) {
            const int h = oh * pool->stride + j / pool->kernel;
            const int w = ow * pool->stride + j % pool->kernel;
            y[i] = fmaxf(y[i], x[(c * in.h + h) * in.w + w]);
        }
    }
}

static void compute_average(struct vgg_shape in, struct vgg_shape out, const float *x, float *y)
{
    for (int i = 0; i < out.c * out.h * out.w; i++) {
        const int c = i / (out.h * out.w), oh = i / out.w % out.h, ow = i % out.w;
        int sum = 0, count = 0;
        for (int h = oh * in.h / out.h; h < ((oh + 1) * in.h + out.h - 1) / out.h; h++) {
            for (int w = ow * in.w / out.w; w < ((ow + 1) * in.w + out.w - 1) / out.w; w++) {
                sum += (int)x[(c * in.h + h) * in.w + w];
                count++;
            }
        }
        y[i] = floorf((float)sum / (float)count + 0.5f);
    }
}

static void compute_linear(const struct vgg_node *node, const float *x, float *y)
{
    const struct vgg_linear *linear = &node->linear;
    for (int row = 0; row < linear->out_features; row++) {
        int64_t sum = 0;
        for (int k = 0; k < linear->in_features; k++) {
            const int64_t position = (int64_t)row * linear->in_features + k;
            sum += (int)x[k] * weight_at(linear->weight, position);
        }
        y[row] = finish(node, linear->bias, row, sum);
    }
}

void int8_net_compute(const struct int8_net *made, const float *input, float *logits,
                      int8_see_fn *see, void *user)
{
    static float numbers[2][INT8_LARGEST], seen[INT8_LARGEST];
    struct vgg_shape shape = {3, INT8_H, INT8_W};
    uint8_t zero[128] = {0};
    float *x = numbers[0], *y = numbers[1];
    for (int i = 0; i < 3 * INT8_H * INT8_W; i++) {
        const int c = i / (INT8_H * INT8_W);
        x[i] = (float)to_byte((input[i] - made->grid.low[c]) * (1.0f / made->grid.step[c]));
        zero[c] = to_byte((0 - made->grid.low[c]) * (1.0f / made->grid.step[c]));
    }
    for (size_t n = 0; n < made->net.count; n++) {
        const struct vgg_node *node = &made->net.nodes[n];
        const struct vgg_shape in = shape;
        ck_assert_int_eq(vgg_node_infer_shape(node, in, &shape, "net", NULL), VGG_OK);
        const size_t count = (size_t)shape.c * (size_t)shape.h * (size_t)shape.w;
        switch (node->op) {
        case VGG_OP_CONV2D:
            compute_conv(node, in, shape, zero, x, y);
            memset(zero, 0, sizeof zero);
            break;
        case VGG_OP_MAX_POOL:
            compute_pool(&node->max_pool, in, shape, x, y);
            break;
        case VGG_OP_ADAPTIVE_AVG_POOL:
            compute_average(in, shape, x, y);
            break;
        case VGG_OP_LINEAR:
            compute_linear(node, x, y);
            break;
        default:
            memcpy(y, x, count * sizeof *y);
            break;
        }
        for (size_t i = 0; i < count; i++) {
            seen[i] = y[i] * 0.5f;
        }
        if (see != NULL && node->op != VGG_OP_CONV2D && node->op != VGG_OP_LINEAR) {
            see(user, n, shape, seen);
        }
        float *other = x;
        x = y;
        y = other;
    }
    memcpy(logits, x, NET_CLASSES * sizeof *logits);
}
