/* SPDX-License-Identifier: MIT */
/* The plan's test net; see plan_net.h. */
#include "plan_net.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "kernels/ref.h"
#include "random_tensor.h"

/* A float32 tensor [a][b][c][d] of numbers low … high, zeros ending the shape. Like those of a legacy
 * checkpoint its bytes are aligned to nothing. */
static const struct vgg_tensor *add_tensor(struct net *net, int a, int b, int c, int d, float low,
                                           float high)
{
    struct vgg_tensor *tensor = &net->tensors[net->tensor_count++];
    const int shape[] = {a, b, c, d};
    random_tensor(tensor, shape, &(struct random_numbers){&net->random, low, high}, 1);
    return tensor;
}

static void add(struct net *net, struct vgg_node node)
{
    ck_assert_uint_lt(net->count, NET_NODES);
    net->nodes[net->count++] = node;
}

static void add_conv(struct net *net, const char *name, int ic, int oc, int kernel, bool bias)
{
    const float scale = 2 / sqrtf((float)(ic * kernel * kernel));
    struct vgg_node node = {.op = VGG_OP_CONV2D, .name = name};
    node.conv = (struct vgg_conv2d){
        .ic = ic, .oc = oc, .kernel = kernel, .stride = 1, .padding = kernel / 2};
    node.conv.weight = add_tensor(net, oc, ic, kernel, kernel, -scale, scale);
    node.conv.bias = bias ? add_tensor(net, oc, 0, 0, 0, -1, 1) : NULL;
    add(net, node);
}

static void add_norm(struct net *net, const char *name, int channels, bool affine)
{
    struct vgg_node node = {.op = VGG_OP_BATCH_NORM, .name = name};
    node.norm = (struct vgg_batch_norm){.channels = channels, .eps = 1e-5};
    node.norm.weight = affine ? add_tensor(net, channels, 0, 0, 0, -1.5f, 1.5f) : NULL;
    node.norm.bias = affine ? add_tensor(net, channels, 0, 0, 0, -1, 1) : NULL;
    node.norm.running_mean = add_tensor(net, channels, 0, 0, 0, -1, 1);
    node.norm.running_var = add_tensor(net, channels, 0, 0, 0, 0.3f, 2);
    add(net, node);
}

static void add_linear(struct net *net, const char *name, int in, int out, bool bias)
{
    const float scale = 2 / sqrtf((float)in);
    struct vgg_node node = {.op = VGG_OP_LINEAR, .name = name};
    node.linear = (struct vgg_linear){.in_features = in, .out_features = out};
    node.linear.weight = add_tensor(net, out, in, 0, 0, -scale, scale);
    node.linear.bias = bias ? add_tensor(net, out, 0, 0, 0, -1, 1) : NULL;
    add(net, node);
}

struct net *net_create(void)
{
    struct net *net = calloc(1, sizeof *net);
    ck_assert_ptr_nonnull(net);
    net->random = 7;
    add_conv(net, "features.0", 3, 5, 3, true);
    add_norm(net, "features.1", 5, true);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.2"});
    add_conv(net, "features.3", 5, 19, 3, false);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.4"});
    add(net, (struct vgg_node){.op = VGG_OP_MAX_POOL, .name = "features.5", .max_pool = {2, 2}});
    add_conv(net, "features.6", 19, 21, 1, true);
    add_norm(net, "features.7", 21, false);
    add(net, (struct vgg_node){.op = VGG_OP_MAX_POOL, .name = "features.8", .max_pool = {3, 2}});
    add_conv(net, "features.9", 21, 7, 5, true);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.10"});
    add(net, (struct vgg_node){.op = VGG_OP_ADAPTIVE_AVG_POOL,
                               .name = "avgpool",
                               .adaptive_pool = {.oh = 3, .ow = 2}});
    add(net, (struct vgg_node){.op = VGG_OP_FLATTEN, .name = "flatten"});
    add_linear(net, "classifier.0", 7 * 3 * 2, 27, true);
    add_norm(net, "classifier.1", 27, true);
    net->nodes[net->count - 1].norm.flat = true;
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "classifier.2"});
    add(net, (struct vgg_node){.op = VGG_OP_DROPOUT, .name = "classifier.3"});
    add_linear(net, "classifier.4", 27, NET_CLASSES, false);
    return net;
}

struct net *net_create_small_kernels(void)
{
    struct net *net = calloc(1, sizeof *net);
    ck_assert_ptr_nonnull(net);
    net->random = 11;
    add_conv(net, "features.0", 3, 20, 3, true);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.1"});
    add_conv(net, "features.2", 20, 37, 3, false);
    add_norm(net, "features.3", 37, true);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.4"});
    add(net, (struct vgg_node){.op = VGG_OP_MAX_POOL, .name = "features.5", .max_pool = {2, 2}});
    add_conv(net, "features.6", 37, 40, 3, true);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.7"});
    add_conv(net, "features.8", 40, 33, 3, true);
    add(net, (struct vgg_node){.op = VGG_OP_MAX_POOL, .name = "features.9", .max_pool = {2, 2}});
    add(net, (struct vgg_node){.op = VGG_OP_ADAPTIVE_AVG_POOL,
                               .name = "avgpool",
                               .adaptive_pool = {.oh = 2, .ow = 1}});
    add(net, (struct vgg_node){.op = VGG_OP_FLATTEN, .name = "flatten"});
    add_linear(net, "classifier.0", 33 * 2, NET_CLASSES, true);
    return net;
}

static void add_dense(struct net *net, const char *name, int ic, int oc, int kernel, bool bias)
{
    add_conv(net, name, ic, oc, kernel, bias);
    net->nodes[net->count - 1].conv.padding = 0;
    net->nodes[net->count - 1].conv.dense = true;
}

struct net *net_create_dense(void)
{
    struct net *net = calloc(1, sizeof *net);
    ck_assert_ptr_nonnull(net);
    net->random = 13;
    add_conv(net, "features.0", 3, 20, 3, true);
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "features.1"});
    add_conv(net, "features.2", 20, 33, 3, true);
    add(net, (struct vgg_node){.op = VGG_OP_MAX_POOL, .name = "features.3", .max_pool = {2, 2}});
    add_dense(net, "classifier.0", 33, 27, 3, true);
    add_norm(net, "classifier.1", 27, true);
    net->nodes[net->count - 1].norm.flat = true;
    add(net, (struct vgg_node){.op = VGG_OP_RELU, .name = "classifier.2"});
    add(net, (struct vgg_node){.op = VGG_OP_DROPOUT, .name = "classifier.3"});
    add_dense(net, "classifier.4", 27, NET_CLASSES, 1, false);
    add(net, (struct vgg_node){.op = VGG_OP_ADAPTIVE_AVG_POOL,
                               .name = "average",
                               .adaptive_pool = {.oh = 1, .ow = 1}});
    add(net, (struct vgg_node){.op = VGG_OP_FLATTEN, .name = "flatten"});
    return net;
}

static uint16_t to_half(double value, enum vgg_dtype dtype)
{
    return dtype == VGG_DTYPE_BF16 ? vgg_bfloat16_from_double(value) : vgg_half_from_double(value);
}

static void store_in_columns(struct vgg_tensor *tensor, enum vgg_dtype dtype)
{
    enum { ROWS = 64 };
    const size_t count = (size_t)vgg_tensor_get_count(tensor), rows = (size_t)tensor->shape[0];
    const size_t k = count / rows, bytes = vgg_dtype_get_bytes(dtype);
    float *values = malloc(count * sizeof *values);
    char *data = calloc((rows + ROWS - 1) / ROWS * ROWS * k * bytes + 1, 1);
    ck_assert(values != NULL && data != NULL);
    vgg_tensor_read_f32(tensor, values);
    for (size_t i = 0; i < count; i++) {
        const size_t row = i / k, at = ((row / ROWS * k) + i % k) * ROWS + row % ROWS;
        const double value = (double)values[i];
        const uint16_t half = to_half(value, dtype);
        memcpy(data + 1 + at * bytes, dtype == VGG_DTYPE_F32 ? (void *)&values[i] : (void *)&half,
               bytes);
    }
    free(values);
    free((char *)tensor->data - 1);
    *tensor = (struct vgg_tensor){.name = tensor->name,
                                  .dtype = dtype,
                                  .ndim = 2,
                                  .shape = {(int64_t)rows, (int64_t)k},
                                  .data = data + 1,
                                  .layout = VGG_LAYOUT_COLUMN_MAJOR};
}

static void store_in_halves(struct vgg_tensor *tensor, enum vgg_dtype dtype)
{
    const size_t count = (size_t)vgg_tensor_get_count(tensor);
    float *values = malloc(count * sizeof *values);
    char *data = malloc(count * sizeof(uint16_t) + 1);
    ck_assert(values != NULL && data != NULL);
    vgg_tensor_read_f32(tensor, values);
    for (size_t i = 0; i < count; i++) {
        const uint16_t half = to_half((double)values[i], dtype);
        memcpy(data + 1 + i * sizeof half, &half, sizeof half);
    }
    free(values);
    free((char *)tensor->data - 1);
    tensor->dtype = dtype;
    tensor->data = data + 1;
}

static void store(struct net *net, enum vgg_dtype dtype,
                  void (*store_one)(struct vgg_tensor *tensor, enum vgg_dtype dtype))
{
    for (size_t i = 0; i < net->count; i++) {
        const struct vgg_node *node = &net->nodes[i];
        if (node->op == VGG_OP_LINEAR) {
            store_one(&net->tensors[node->linear.weight - net->tensors], dtype);
        } else if (node->op == VGG_OP_CONV2D && node->conv.dense) {
            store_one(&net->tensors[node->conv.weight - net->tensors], dtype);
        }
    }
}

void net_store_in_columns(struct net *net, enum vgg_dtype dtype)
{
    store(net, dtype, store_in_columns);
}

void net_store_in_halves(struct net *net, enum vgg_dtype dtype)
{
    store(net, dtype, store_in_halves);
}

void net_destroy(struct net *net)
{
    for (size_t i = 0; i < net->tensor_count; i++) {
        free((char *)net->tensors[i].data - 1);
    }
    free(net);
}

float *net_make_input(size_t count, int h, int w)
{
    return random_input(count * 3 * (size_t)h * (size_t)w);
}

/* A tensor's values, to be freed; `count` times `otherwise` when there is none. */
static float *read_values(const struct vgg_tensor *tensor, int count, float otherwise)
{
    float *values = malloc((size_t)count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (int i = 0; i < count; i++) {
        values[i] = otherwise;
    }
    if (tensor != NULL) {
        vgg_tensor_read_f32(tensor, values);
    }
    return values;
}

static void compute_norm(const struct vgg_batch_norm *norm, size_t plane, const float *in,
                         double *out)
{
    float *gamma = read_values(norm->weight, norm->channels, 1);
    float *beta = read_values(norm->bias, norm->channels, 0);
    float *mean = read_values(norm->running_mean, norm->channels, 0);
    float *var = read_values(norm->running_var, norm->channels, 1);
    for (size_t i = 0; i < (size_t)norm->channels * plane; i++) {
        const size_t c = i / plane;
        out[i] = ((double)in[i] - (double)mean[c]) / sqrt((double)var[c] + norm->eps) *
                     (double)gamma[c] +
                 (double)beta[c];
    }
    free(gamma);
    free(beta);
    free(mean);
    free(var);
}

struct vgg_shape net_compute(const struct net *net, size_t index, struct vgg_shape shape,
                             const float *in, float *out)
{
    static double y[NET_LARGEST], magnitude[NET_LARGEST];
    const struct vgg_node *node = &net->nodes[index];
    const size_t in_plane = (size_t)shape.h * (size_t)shape.w;
    struct vgg_shape to;
    ck_assert_int_eq(vgg_node_infer_shape(node, shape, &to, "net", NULL), VGG_OK);
    const size_t plane = (size_t)to.h * (size_t)to.w, count = (size_t)to.c * plane;
    ck_assert_uint_le(count, NET_LARGEST);
    for (size_t i = 0; i < count && i < (size_t)shape.c * in_plane; i++) {
        y[i] = (double)in[i]; /* flatten, dropout; relu and others below */
    }
    if (node->op == VGG_OP_CONV2D) {
        const struct vgg_conv2d *conv = &node->conv;
        float *weight =
            read_values(conv->weight, conv->oc * conv->ic * conv->kernel * conv->kernel, 0);
        float *bias = read_values(conv->bias, conv->oc, 0);
        vgg_ref_conv(in, conv->ic, shape.h, shape.w, weight, bias, conv->oc, conv->kernel,
                     conv->stride, conv->padding, y, magnitude);
        free(weight);
        free(bias);
    } else if (node->op == VGG_OP_LINEAR) {
        const struct vgg_linear *linear = &node->linear;
        float *weight = read_values(linear->weight, linear->out_features * linear->in_features, 0);
        float *bias = read_values(linear->bias, linear->out_features, 0);
        vgg_ref_linear(in, weight, bias, linear->out_features, linear->in_features, y, magnitude);
        free(weight);
        free(bias);
    } else if (node->op == VGG_OP_BATCH_NORM) {
        compute_norm(&node->norm, plane, in, y);
    }
    if (node->op == VGG_OP_LRN) {
        vgg_ref_lrn(in, shape.c, (int)plane, node->lrn.size, node->lrn.alpha, node->lrn.beta,
                    node->lrn.k, y);
    }
    for (size_t c = 0; c < (size_t)to.c; c++) {
        if (node->op == VGG_OP_MAX_POOL) {
            vgg_ref_max_pool(in + c * in_plane, shape.h, shape.w, node->max_pool.kernel,
                             node->max_pool.stride, y + c * plane);
        } else if (node->op == VGG_OP_ADAPTIVE_AVG_POOL) {
            vgg_ref_avg_pool(in + c * in_plane, shape.h, shape.w, to.h, to.w, y + c * plane,
                             magnitude);
        }
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = (float)(node->op == VGG_OP_RELU && y[i] < 0 ? 0 : y[i]);
    }
    return to;
}
