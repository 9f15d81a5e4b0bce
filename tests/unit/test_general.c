/* SPDX-License-Identifier: MIT */
/* plan: layers that VGG itself does not have, in random chains, against double precision; fused and unfused, the same
 * bits for all threads, batches and ways to prepack. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "general_net.h"
#include "kernels/dispatch.h"
#include "plan/executor.h"
#include "plan/plan.h"
#include "plan_run.h"

enum { BATCH = 3, THREADS = 3, NETS = 100 };

/* How a net is run. */
struct way {
    const struct vgg_kernels *kernels;
    int batch, threads;
    bool one_shot, low_memory, direct;
    /* NULL: nodes are fused. */
    const struct vgg_node_listener *listener;
};

static struct vgg_net view(const struct general_net *net)
{
    return (struct vgg_net){net->nodes, net->count, "net.pth"};
}

static void run(const struct general_net *net, const struct way *way, const float *input,
                float *out)
{
    const struct vgg_plan_options options = {
        .kernels = way->kernels,
        .batch = way->batch,
        .input = net->input,
        .activation_bytes = 1 << 26,
        .one_shot = way->one_shot,
        .low_memory = way->low_memory,
        .conv = way->direct ? VGG_CONV_DIRECT : VGG_CONV_AUTO,
        .unfused = way->listener != NULL,
    };
    struct vgg_error err = {0};
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    struct vgg_executor *executor;
    ck_assert_int_eq(vgg_pool_create(way->threads, NULL, &pool, NULL), VGG_OK);
    const struct vgg_net nodes = view(net);
    vgg_status status = vgg_plan_create(&nodes, &options, pool, &plan, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_int_eq(plan->class_count, net->shape.c);
    status = vgg_executor_create(plan, pool, way->listener, &executor, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    /* What a run leaves behind must not reach the next one: here it is NaN. */
    memset(executor->slab, 0xff, plan->slab_bytes);
    const int before = plan_allocations;
    for (int n = 0; n < BATCH; n += way->batch) {
        const int left = BATCH - n;
        vgg_executor_run(executor, input + (size_t)n * general_count(net->input),
                         left < way->batch ? left : way->batch,
                         out + (size_t)n * (size_t)net->shape.c);
    }
    ck_assert(way->listener != NULL || plan_allocations == before);
    vgg_executor_destroy(executor);
    vgg_plan_destroy(plan);
    vgg_pool_destroy(pool);
}

static double find_largest(const double *a, size_t count)
{
    double largest = 1e-9; /* a divisor */
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(a[i]));
    }
    return largest;
}

/* Largest difference. */
static double compare(const float *a, const double *b, size_t count)
{
    double error = 0;
    for (size_t i = 0; i < count; i++) {
        ck_assert(isfinite(a[i]));
        error = fmax(error, fabs((double)a[i] - b[i]));
    }
    return error;
}

/* Checks each node's output against what double precision makes of the output before it. */
struct listener {
    const struct general_net *net;
    size_t heard;
    struct vgg_shape shape;
    double *last[BATCH];
};

static void check_node(void *user, const char *name, const int64_t shape[4], int ndim,
                       const float *data)
{
    struct listener *listener = user;
    const struct vgg_node *node = &listener->net->nodes[listener->heard++];
    struct vgg_shape out = listener->shape;
    ck_assert_str_eq(name, node->name);
    for (int n = 0; n < (int)shape[0]; n++) {
        out = listener->shape;
        double *want = general_compute(node, &out, listener->last[n]);
        const size_t count = general_count(out);
        ck_assert(shape[1] == out.c && shape[2] == out.h && shape[3] == out.w);
        ck_assert(ndim == 4 || (out.h == 1 && out.w == 1));
        /* Sums of large numbers can be small. */
        const double large = fmax(find_largest(listener->last[n], general_count(listener->shape)),
                                  find_largest(want, count));
        const double error = compare(data + (size_t)n * count, want, count) / large;
        ck_assert_msg(error < 2e-6, "node %s (%s) of %dx%dx%d: error %g", name, vgg_node_type(node),
                      listener->shape.c, listener->shape.h, listener->shape.w, error);
        for (size_t i = 0; i < count; i++) {
            want[i] = (double)data[(size_t)n * count + i];
        }
        free(listener->last[n]);
        listener->last[n] = want;
    }
    listener->shape = out;
}

static double *to_double(const float *in, size_t count)
{
    double *out = malloc(count * sizeof *out);
    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < count; i++) {
        out[i] = (double)in[i];
    }
    return out;
}

static void check_unfused(const struct general_net *net, const struct way *fused,
                          const float *input, float *out)
{
    struct listener listener = {.net = net, .shape = net->input};
    const size_t image = general_count(net->input);
    for (int n = 0; n < BATCH; n++) {
        listener.last[n] = to_double(input + (size_t)n * image, image);
    }
    struct way way = *fused;
    way.batch = BATCH;
    way.listener = &(struct vgg_node_listener){check_node, &listener};
    run(net, &way, input, out);
    ck_assert_uint_eq(listener.heard, net->count);
    for (int n = 0; n < BATCH; n++) {
        free(listener.last[n]);
    }
}

/* The net's output in double precision from end to end. */
static double *compute_net(const struct general_net *net, const float *input)
{
    struct vgg_shape shape = net->input;
    double *last = to_double(input, general_count(shape));
    for (size_t i = 0; i < net->count; i++) {
        double *next = general_compute(&net->nodes[i], &shape, last);
        free(last);
        last = next;
    }
    return last;
}

/* Some of all ways, others for each net. */
static void check_bits(const struct general_net *net, const struct way *fused, int seed,
                       const float *input, const float *first)
{
    const size_t bytes = BATCH * (size_t)net->shape.c * sizeof(float);
    float *other = malloc(bytes);
    ck_assert_ptr_nonnull(other);
    for (int i = seed % 5; i < 18; i += 5) {
        struct way way = *fused;
        way.batch = i % 2 == 0 ? BATCH : 1;
        way.threads = 1 + i / 2 % THREADS;
        way.one_shot = i / 6 == 1;
        way.low_memory = i / 6 == 2;
        memset(other, 0, bytes);
        run(net, &way, input, other);
        ck_assert_mem_eq(other, first, bytes);
    }
    free(other);
}

static void check_net(const struct general_net *net, const struct vgg_kernels *kernels, int seed)
{
    const size_t classes = (size_t)net->shape.c, bytes = BATCH * classes * sizeof(float);
    float *input = general_net_make_input(net, BATCH);
    float *first = malloc(bytes), *other = malloc(bytes), *automatic = malloc(bytes);
    ck_assert(first != NULL && other != NULL && automatic != NULL);
    const struct way fused = {.kernels = kernels, .batch = 1, .threads = 1, .direct = true};
    const struct way chosen = {.kernels = kernels, .batch = BATCH, .threads = 2};
    run(net, &fused, input, first);
    run(net, &chosen, input, automatic);
    check_unfused(net, &fused, input, other);
    for (int n = 0; n < BATCH; n++) {
        double *want = compute_net(net, input + (size_t)n * general_count(net->input));
        const double large = find_largest(want, classes);
        const double error = compare(first + (size_t)n * classes, want, classes) / large;
        const double unfused = compare(other + (size_t)n * classes, want, classes) / large;
        const double winograd = compare(automatic + (size_t)n * classes, want, classes) / large;
        ck_assert_msg(error < 1e-5 && unfused < 1e-5 && winograd < 2e-5,
                      "error %g fused, %g unfused, %g with Winograd", error, unfused, winograd);
        free(want);
    }
    check_bits(net, &fused, seed, input, first);
    free(input);
    free(first);
    free(other);
    free(automatic);
}

START_TEST(computes_random_chains)
{
    for (uint32_t seed = 0; seed < NETS; seed++) {
        struct general_net *net = general_net_create(seed);
        for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
            const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
            if (kernels != NULL) {
                check_net(net, kernels, (int)seed);
            }
        }
        general_net_destroy(net);
    }
}
END_TEST

/* A convolution in groups, from 24 channels of 5 x 6 pixels; *net is to be destroyed. */
static void check_groups(const struct vgg_kernels *kernels, int groups, int oc)
{
    const struct vgg_window window = vgg_window_square(3, 1, 1);
    const struct way way = {.kernels = kernels, .batch = BATCH, .threads = 2};
    struct general_net *net = general_net_begin(5, (struct vgg_shape){24, 5, 6});
    general_net_add_general_conv(net, oc, groups, &window);
    general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
    const size_t plane = 5 * 6, image = 24 * plane, classes = (size_t)oc * plane;
    float *input = general_net_make_input(net, BATCH);
    float *out = malloc(BATCH * classes * sizeof *out);
    ck_assert_ptr_nonnull(out);
    const int bad = groups / 2; /* a group whose first channel is not finite */
    for (size_t i = 0; i < BATCH * plane; i++) {
        input[i / plane * image + (size_t)(bad * 24 / groups) * plane + i % plane] =
            i % 2 == 0 ? NAN : INFINITY;
    }
    run(net, &way, input, out);
    for (size_t i = 0; i < BATCH * classes; i++) {
        const size_t group = i % classes / plane / (size_t)(oc / groups);
        ck_assert_msg(isfinite(out[i]) == (group != (size_t)bad), "%d groups, %d channels: %zu",
                      groups, oc, i);
    }
    free(input);
    free(out);
    general_net_destroy(net);
}

/* Lanes of other groups, and those past the last channel, are multiplied by nothing. */
START_TEST(keeps_groups_apart)
{
    static const int cases[][2] = {{24, 24}, {24, 72}, {24, 24 * 16}, {12, 36}, {8, 24},
                                   {4, 64},  {3, 51},  {2, 70},       {2, 32},  {1, 7}};
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
        for (size_t i = 0; i < sizeof cases / sizeof *cases && kernels != NULL; i++) {
            check_groups(kernels, cases[i][0], cases[i][1]);
        }
    }
}
END_TEST

/* Functions that are not zero where their argument is, between convolutions that read all lanes of a block. */
START_TEST(clears_unused_channels)
{
    for (int kind = 0; kind <= VGG_ACTIVATION_RELU6; kind++) {
        struct general_net *net = general_net_begin(7, (struct vgg_shape){3, 6, 7});
        general_net_add_conv(net, 5, 3, 1, 1);
        general_net_add_function(net, (enum vgg_activation_kind)kind);
        general_net_add(net, (struct vgg_node){.op = VGG_OP_SOFTMAX, .softmax.log = true});
        general_net_add(net, (struct vgg_node){.op = VGG_OP_ZERO_PAD, .zero_pad = {1, -1, 2, 0}});
        general_net_add_conv(net, 7, 2, 1, 1);
        general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
        for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
            const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
            if (kernels != NULL) {
                check_net(net, kernels, kind);
            }
        }
        general_net_destroy(net);
    }
}
END_TEST

static void make_plan(const struct general_net *net, struct vgg_plan **plan, vgg_status code,
                      struct vgg_error *err)
{
    const struct vgg_plan_options options = {.kernels = vgg_kernels_find(VGG_ISA_AUTO, NULL),
                                             .batch = 2,
                                             .input = net->input,
                                             .activation_bytes = 1 << 26};
    struct vgg_pool *pool;
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    const struct vgg_net nodes = view(net);
    const vgg_status status = vgg_plan_create(&nodes, &options, pool, plan, err);
    ck_assert_msg(status == code, "%s", err->message);
    vgg_pool_destroy(pool);
}

START_TEST(describes_general_convolutions)
{
    struct vgg_window window = vgg_window_square(3, 2, 1);
    struct vgg_error err = {0};
    struct vgg_plan *plan;
    struct general_net *net = general_net_begin(3, (struct vgg_shape){8, 9, 9});
    window.padding.right = 2;
    general_net_add_general_conv(net, 8, 8, &window);
    general_net_add_norm(net);
    general_net_add(net, (struct vgg_node){.op = VGG_OP_RELU});
    general_net_add_general_conv(net, 20, 2, &window);
    general_net_add(net, (struct vgg_node){.op = VGG_OP_ACTIVATION,
                                           .activation = {.kind = VGG_ACTIVATION_RELU}});
    general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
    general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
    make_plan(net, &plan, VGG_OK, &err);
    ck_assert_int_eq(plan->step_count, 5);
    const struct vgg_step_info *info = plan->info;
    ck_assert_str_eq(info[0].nodes, "input");
    ck_assert_str_eq(info[1].nodes, "Conv2d + BatchNorm2d + ReLU");
    ck_assert_str_eq(info[1].algorithm, "depthwise");
    ck_assert_double_eq(info[1].multiply_adds, 2 * 8 * 9 * 5 * 5);
    ck_assert_str_eq(info[2].nodes, "Conv2d + ReLU");
    ck_assert_str_eq(info[2].algorithm, "general");
    ck_assert_double_eq(info[2].multiply_adds, 2 * 20 * 4 * 9 * 3 * 3);
    ck_assert_double_ge(info[2].products, info[2].multiply_adds);
    ck_assert_uint_ge(info[2].weight_bytes, 20 * 4 * 9 * sizeof(float));
    ck_assert_uint_eq(info[2].prepacked_bytes, info[2].weight_bytes);
    ck_assert_str_eq(info[4].nodes, "Flatten");
    vgg_plan_destroy(plan);
    general_net_destroy(net);
}
END_TEST

static void expect_refusal(const struct general_net *net, const char *message)
{
    struct vgg_error err = {0};
    struct vgg_plan *plan;
    make_plan(net, &plan, VGG_ERR_UNSUPPORTED, &err);
    ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
}

START_TEST(refuses_layers_of_images_on_features)
{
    static const enum vgg_op ops[] = {VGG_OP_GENERAL_POOL, VGG_OP_ADAPTIVE_MAX_POOL,
                                      VGG_OP_CONCAT_POOL, VGG_OP_ZERO_PAD, VGG_OP_MAX_POOL};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        struct general_net *net = general_net_begin(3, (struct vgg_shape){8, 3, 3});
        general_net_add(net, (struct vgg_node){.op = VGG_OP_FLATTEN});
        struct vgg_node node = {.op = ops[i]};
        if (node.op == VGG_OP_GENERAL_POOL) {
            node.general_pool.window = vgg_window_square(1, 1, 0);
        } else if (node.op == VGG_OP_MAX_POOL) {
            node.max_pool = (struct vgg_max_pool){1, 1};
        }
        general_net_add(net, node);
        expect_refusal(net, "net.pth: n1 (");
        general_net_destroy(net);
    }
    struct general_net *net = general_net_begin(3, (struct vgg_shape){8, 3, 3});
    general_net_add_function(net, VGG_ACTIVATION_GELU);
    expect_refusal(net, "n0 (GELU): expected a classifier at the end");
    general_net_destroy(net);
}
END_TEST

UNIT_MAIN("general", computes_random_chains, keeps_groups_apart, clears_unused_channels,
          describes_general_convolutions, refuses_layers_of_images_on_features)
