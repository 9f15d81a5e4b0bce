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

enum { BATCH = 3, THREADS = 3, NETS = 150 };

/* How a net is run. */
struct way {
    const struct vgg_kernels *kernels;
    int batch, threads;
    bool one_shot, low_memory, direct;
    vgg_node_fn *on_node;
    void *user;
};

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
        .unfused = way->on_node != NULL,
    };
    struct vgg_error err = {0};
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    struct vgg_executor *executor;
    ck_assert_int_eq(vgg_pool_create(way->threads, NULL, &pool, NULL), VGG_OK);
    vgg_status status = vgg_plan_create(&(struct vgg_net){net->nodes, net->count, "net"}, &options,
                                        pool, &plan, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_int_eq(plan->class_count, net->shape.c);
    const struct vgg_node_listener listener = {way->on_node, way->user};
    status = vgg_executor_create(plan, pool, &listener, &executor, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    /* What a run leaves behind must not reach the next one: here it is NaN. */
    memset(executor->slab, 0xff, plan->slab_bytes);
    for (int n = 0; n < BATCH; n += way->batch) {
        const int left = BATCH - n;
        vgg_executor_run(executor, input + (size_t)n * general_count(net->input),
                         left < way->batch ? left : way->batch,
                         out + (size_t)n * (size_t)net->shape.c);
    }
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
    way.on_node = check_node;
    way.user = &listener;
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
    float *first = malloc(bytes), *other = malloc(bytes);
    ck_assert(first != NULL && other != NULL);
    const struct way fused = {.kernels = kernels, .batch = 1, .threads = 1, .direct = true};
    run(net, &fused, input, first);
    check_unfused(net, &fused, input, other);
    for (int n = 0; n < BATCH; n++) {
        double *want = compute_net(net, input + (size_t)n * general_count(net->input));
        const double large = find_largest(want, classes);
        const double error = compare(first + (size_t)n * classes, want, classes) / large;
        const double unfused = compare(other + (size_t)n * classes, want, classes) / large;
        ck_assert_msg(error < 1e-5 && unfused < 1e-5, "error %g fused, %g unfused", error, unfused);
        free(want);
    }
    check_bits(net, &fused, seed, input, first);
    free(input);
    free(first);
    free(other);
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

UNIT_MAIN("general", computes_random_chains)
