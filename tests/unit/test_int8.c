/* SPDX-License-Identifier: MIT */
/* plan/int8: whole int8 nets on every table of kernels, bit by bit; the same for all threads and batches, fused
 * and not; runs that allocate nothing; numbers and nets it must refuse. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "int8_net.h"
#include "kernels/dispatch.h"
#include "kernels/int8_dispatch.h"
#include "plan/int8/int8_build.h"
#include "plan_run.h"

enum { BATCH = 3, THREADS = 4 };

static float expected[BATCH][NET_CLASSES];
static float *input;

static struct int8_net *set_up(void)
{
    struct int8_net *made = int8_net_create();
    input = net_make_input(BATCH, INT8_H, INT8_W);
    for (int n = 0; n < BATCH; n++) {
        int8_net_compute(made, input + n * 3 * INT8_H * INT8_W, expected[n], NULL, NULL);
    }
    return made;
}

static void tear_down(struct int8_net *made)
{
    int8_net_destroy(made);
    free(input);
}

static struct vgg_plan_options make_options(const struct int8_net *made,
                                            const struct vgg_int8_kernels *kernels, int batch)
{
    return (struct vgg_plan_options){.kernels = vgg_kernels_find(VGG_ISA_AUTO, NULL),
                                     .int8 = kernels,
                                     .grid = &made->grid,
                                     .batch = batch,
                                     .input = {3, INT8_H, INT8_W},
                                     .activation_bytes = 1 << 24};
}

START_TEST(all_tables_threads_and_batches_give_the_same_bits)
{
    struct int8_net *made = set_up();
    const struct vgg_int8_kernels *kernels;
    int tables = 0;
    for (; (kernels = plan_get_int8_kernels(tables)) != NULL; tables++) {
        for (int threads = 1; threads <= THREADS; threads++) {
            for (int at_once = 1; at_once <= BATCH; at_once++) {
                float logits[BATCH][NET_CLASSES] = {0};
                const struct vgg_plan_options options = make_options(made, kernels, at_once);
                plan_run(&made->net, &options, threads, &(struct plan_input){input, BATCH, at_once},
                         NULL, logits[0]);
                ck_assert_msg(memcmp(logits, expected, sizeof logits) == 0,
                              "%s, %d threads, %d at once: %g instead of %g", kernels->isa, threads,
                              at_once, (double)logits[0][0], (double)expected[0][0]);
            }
        }
    }
    ck_assert_int_gt(tables, 0);
    tear_down(made);
}
END_TEST

/* What the nodes gave, one after the other. */
static float seen[NET_NODES][INT8_LARGEST];
static size_t heard;

static void see(void *user, size_t node, struct vgg_shape shape, const float *numbers)
{
    (void)user;
    memcpy(seen[node], numbers, (size_t)(shape.c * shape.h * shape.w) * sizeof *numbers);
}

static void check_node(void *user, const char *name, const int64_t *shape, int ndim,
                       const float *data)
{
    const struct int8_net *made = user;
    const int before = plan_allocations;
    size_t count = 1;
    while (made->net.nodes[heard].op == VGG_OP_CONV2D ||
           made->net.nodes[heard].op == VGG_OP_LINEAR) {
        if (heard + 1 == made->net.count) {
            ck_assert_mem_eq(data, expected[0], sizeof expected[0]);
            heard++;
            plan_allocations = before;
            return;
        }
        heard++; /* it is reported with its ReLU */
    }
    ck_assert_str_eq(name, made->net.nodes[heard].name);
    for (int i = 0; i < ndim; i++) {
        count *= (size_t)shape[i];
    }
    ck_assert_msg(memcmp(data, seen[heard], count * sizeof *data) == 0, "node %zu, %s", heard,
                  name);
    heard++;
    plan_allocations = before;
}

START_TEST(every_node_is_told_as_the_numbers_its_bytes_stand_for)
{
    struct int8_net *made = set_up();
    float logits[NET_CLASSES];
    const struct vgg_plan_options options =
        make_options(made, vgg_int8_kernels_find(VGG_ISA_AUTO), 1);
    int8_net_compute(made, input, logits, see, NULL);
    plan_run(&made->net, &options, 2, &(struct plan_input){input, 1, 1},
             &(struct plan_listener){check_node, made}, logits);
    ck_assert_uint_eq(heard, made->net.count);
    ck_assert_mem_eq(logits, expected[0], sizeof logits);
    tear_down(made);
}
END_TEST

/* Plans the net, which must fail with a message that holds both texts. */
static void check_refused(const struct int8_net *made, vgg_status wanted, const char *first,
                          const char *second)
{
    static struct vgg_error err;
    const struct vgg_plan_options options =
        make_options(made, vgg_int8_kernels_find(VGG_ISA_AUTO), 1);
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    vgg_status status = vgg_plan_create(&(struct vgg_net){made->net.nodes, made->net.count, "net"},
                                        &options, pool, &plan, &err);
    ck_assert_int_eq(status, wanted);
    ck_assert_ptr_null(plan);
    ck_assert_msg(strstr(err.message, first) != NULL && strstr(err.message, second) != NULL, "%s",
                  err.message);
    vgg_pool_destroy(pool);
}

START_TEST(numbers_that_could_overflow_a_sum_are_refused)
{
    struct int8_net *made = set_up();
    const struct vgg_node *node = &made->net.nodes[2];
    int32_t *bias = (int32_t *)(uintptr_t)node->conv.bias->data;
    int32_t *sum = (int32_t *)(uintptr_t)node->int8.weight_sum->data;
    float *scale = (float *)(uintptr_t)node->int8.weight_scale->data;
    static const float bad_scales[] = {0, -1, 1e38f, 1e-38f, (float)INFINITY, (float)NAN};
    bias[3] = VGG_INT8_MAX_BIAS + 1;
    check_refused(made, VGG_ERR_FORMAT, "32 bits", "536870913 at element 3");
    bias[3] = INT32_MIN;
    check_refused(made, VGG_ERR_FORMAT, "32 bits", "-2147483648 at element 3");
    bias[3] = VGG_INT8_MAX_BIAS;
    sum[0] = 128 * 64 * 9 + 1; /* 20 channels fill a block of 64 */
    check_refused(made, VGG_ERR_FORMAT, "up to 73728", "73729 at element 0");
    sum[0] = 0;
    for (size_t i = 0; i < sizeof bad_scales / sizeof bad_scales[0]; i++) {
        scale[69] = bad_scales[i];
        check_refused(made, VGG_ERR_FORMAT, "between sums and results", "at element 69");
    }
    tear_down(made);
}
END_TEST

START_TEST(nets_that_bytes_cannot_hold_are_refused)
{
    struct int8_net *made = set_up();
    struct vgg_node *nodes = made->net.nodes;
    const struct vgg_node relu = nodes[3], pool = nodes[4], flatten = nodes[11];
    nodes[3].op = VGG_OP_LRN;
    check_refused(made, VGG_ERR_UNSUPPORTED, "conv (Conv2d)", "expected ReLU");
    nodes[3] = relu;
    nodes[4].op = VGG_OP_LRN;
    check_refused(made, VGG_ERR_UNSUPPORTED, "pool (LocalResponseNorm)", "not supported");
    nodes[4].op = VGG_OP_BATCH_NORM;
    nodes[4].norm = (struct vgg_batch_norm){0};
    check_refused(made, VGG_ERR_UNSUPPORTED, "pool (BatchNorm2d)", "not supported");
    nodes[4] = pool;
    nodes[11].op = VGG_OP_DROPOUT;
    check_refused(made, VGG_ERR_UNSUPPORTED, "linear (Linear)", "not expected");
    nodes[11] = flatten;
    nodes[2].conv.kernel = 23; /* 64 * 23 * 23 products */
    check_refused(made, VGG_ERR_UNSUPPORTED, "sums of 33856 products", "at most 32896");
    nodes[2].conv.kernel = 65535;
    check_refused(made, VGG_ERR_UNSUPPORTED, "products could exceed 32 bits", "conv");
    nodes[2].conv.kernel = 3;
    nodes[2].conv.dense = true;
    check_refused(made, VGG_ERR_UNSUPPORTED, "conv (Conv2d)", "dense");
    nodes[2].conv.dense = false;
    made->net.count -= 2; /* dropout and the logits: a ReLU is the last */
    check_refused(made, VGG_ERR_UNSUPPORTED, "expected a linear layer at the end", "ReLU");
    made->net.count += 2;
    nodes[0] = relu;
    check_refused(made, VGG_ERR_UNSUPPORTED, "expected a convolution", "first");
    tear_down(made);
}
END_TEST

UNIT_MAIN("int8", all_tables_threads_and_batches_give_the_same_bits,
          every_node_is_told_as_the_numbers_its_bytes_stand_for,
          numbers_that_could_overflow_a_sum_are_refused, nets_that_bytes_cannot_hold_are_refused)
