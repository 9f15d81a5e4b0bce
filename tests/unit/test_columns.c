/* SPDX-License-Identifier: MIT */
/* plan/f32/sparse_linear: nets whose fully connected weights are column-major, of each type, against double precision; the
 * same bits for all threads and batches; what was read is what the inputs needed; NaN and infinity. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "kernels/dispatch.h"
#include "plan_net.h"
#include "plan_run.h"

enum { BATCH = 11, THREADS = 3 }; /* a tile of images and a part of one */
static const struct vgg_shape input_shape = {3, NET_H, NET_W};
static const enum vgg_dtype dtypes[] = {VGG_DTYPE_F32, VGG_DTYPE_BF16, VGG_DTYPE_F16};
/* As in test_plan.c: weights of 16 bits are what they are, and arithmetic is float32. */
static const double tolerance = 2e-6;

static struct vgg_plan_options make_options(enum vgg_isa isa, int batch)
{
    return (struct vgg_plan_options){.kernels = vgg_kernels_find(isa, NULL),
                                     .batch = batch,
                                     .input = input_shape,
                                     .activation_bytes = 1 << 24};
}

/* The logits, and the outputs of node `index` if any. */
static void compute(const struct net *net, const float *input, float (*logits)[NET_CLASSES],
                    size_t index, float (*outputs)[NET_LARGEST])
{
    static float in[NET_LARGEST], out[NET_LARGEST];
    for (size_t n = 0; n < BATCH; n++) {
        struct vgg_shape shape = input_shape;
        memcpy(in, input + n * 3 * NET_H * NET_W, 3 * NET_H * NET_W * sizeof *in);
        for (size_t i = 0; i < net->count; i++) {
            shape = net_compute(net, i, shape, in, out);
            memcpy(in, out, sizeof in);
            if (i == index && outputs != NULL) {
                memcpy(outputs[n], out, sizeof out);
            }
        }
        memcpy(logits[n], out, NET_CLASSES * sizeof *out);
    }
}

static void check_net(struct net *net)
{
    float *input = net_make_input(BATCH, NET_H, NET_W);
    float want[BATCH][NET_CLASSES], first[BATCH][NET_CLASSES], got[BATCH][NET_CLASSES];
    compute(net, input, want, 0, NULL);
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        struct vgg_plan_options options = make_options(isa, BATCH);
        if (options.kernels == NULL) {
            continue;
        }
        plan_run(net, &options, 1, &(struct plan_input){input, BATCH, BATCH}, NULL, &first[0][0]);
        const double error = plan_compare(&first[0][0], &want[0][0], BATCH * NET_CLASSES);
        ck_assert_msg(error <= tolerance, "%s: error %g", options.kernels->isa, error);
        for (int threads = 1; threads <= THREADS; threads++) {
            for (int at_once = 1; at_once <= BATCH; at_once += 3) {
                plan_run(net, &options, threads, &(struct plan_input){input, BATCH, at_once}, NULL,
                         &got[0][0]);
                ck_assert_mem_eq(got, first, sizeof got);
            }
        }
    }
    free(input);
}

START_TEST(agrees_with_double_precision)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        struct net *net = net_create();
        net_store_in_columns(net, dtypes[i]);
        check_net(net);
        net_destroy(net);
    }
}
END_TEST

START_TEST(agrees_where_the_classifier_moves)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        struct net *net = net_create_dense();
        net_store_in_columns(net, dtypes[i]);
        check_net(net);
        net_destroy(net);
    }
}
END_TEST

/* Columns in another byte order. */
START_TEST(copies_what_it_cannot_read)
{
    struct net *net = net_create();
    net_store_in_columns(net, VGG_DTYPE_BF16);
    for (size_t i = 0; i < net->tensor_count; i++) {
        struct vgg_tensor *tensor = &net->tensors[i];
        if (tensor->layout == VGG_LAYOUT_COLUMN_MAJOR) {
            char *at = (char *)tensor->data;
            const char *end = at + vgg_tensor_get_extent(tensor);
            for (; at < end; at += 2) {
                const char first = at[0];
                at[0] = at[1];
                at[1] = first;
            }
            tensor->swapped = true;
        }
    }
    check_net(net);
    net_destroy(net);
}
END_TEST

/* Runs `count` images and compares what the last linear layer counts with its inputs, [BATCH][k]. */
static void check_counts(const struct net *net, const float *input, int count,
                         float (*inputs)[NET_LARGEST], enum vgg_dtype dtype)
{
    const struct vgg_plan_options options = make_options(VGG_ISA_AUTO, BATCH);
    const uint64_t bytes = vgg_dtype_get_bytes(dtype);
    float logits[BATCH][NET_CLASSES];
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    struct vgg_executor *executor;
    char algorithm[32] = "column-major";
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    ck_assert_int_eq(vgg_plan_create(&(struct vgg_net){net->nodes, net->count, "net"}, &options,
                                     pool, &plan, NULL),
                     VGG_OK);
    ck_assert_int_eq(vgg_executor_create(plan, pool, NULL, &executor, NULL), VGG_OK);
    vgg_executor_run(executor, input, BATCH, &logits[0][0]); /* which the next run forgets */
    vgg_executor_run(executor, input, count, &logits[0][0]);
    const struct vgg_step *step = &plan->steps[plan->step_count - 1];
    const struct vgg_step_state *state = vgg_executor_get_state(executor, step);
    const struct vgg_step_info *info = &plan->info[plan->step_count - 1];
    const int k = step->node->linear.in_features;
    uint64_t nonzero = 0, needed = 0;
    for (int i = 0; i < k; i++) {
        bool any = false;
        for (int n = 0; n < count; n++) {
            nonzero += inputs[n][i] > 0;
            any = any || inputs[n][i] > 0;
        }
        needed += any;
    }
    ck_assert_int_eq(step->kind, VGG_STEP_LINEAR);
    if (dtype != VGG_DTYPE_F32) {
        strcat(strcat(algorithm, ", "), vgg_dtype_string(dtype));
    }
    ck_assert_str_eq(info->algorithm, algorithm);
    /* One image of whose inputs few are zero reads all. */
    needed = count == 1 && nonzero > (uint64_t)k / 4 * 3 ? (uint64_t)k : needed;
    ck_assert_uint_lt(nonzero, (uint64_t)(count * k));
    ck_assert_uint_eq(state->inputs, (uint64_t)(count * k));
    ck_assert_uint_eq(state->nonzero_inputs, nonzero);
    /* Ten classes are 64 rows. */
    ck_assert_uint_eq(state->read_bytes, needed * 64 * bytes);
    ck_assert_uint_eq(info->weight_bytes, (uint64_t)k * 64 * bytes);
    vgg_executor_destroy(executor);
    vgg_plan_destroy(plan);
    vgg_pool_destroy(pool);
}

START_TEST(reads_what_inputs_need)
{
    static float inputs[BATCH][NET_LARGEST];
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++) {
        struct net *net = net_create();
        net_store_in_columns(net, dtypes[i]);
        float *input = net_make_input(BATCH, NET_H, NET_W), logits[BATCH][NET_CLASSES];
        compute(net, input, logits, net->count - 2, inputs);
        for (int count = 1; count <= BATCH; count += 5) {
            check_counts(net, input, count, inputs, dtypes[i]);
        }
        free(input);
        net_destroy(net);
    }
}
END_TEST

/* The last layer's inputs, as the BatchNorm before it shifts them: just enough zeros that they are skipped, and
 * one fewer. */
START_TEST(reads_few_zeros)
{
    static float inputs[BATCH][NET_LARGEST];
    struct net *net = net_create();
    net_store_in_columns(net, VGG_DTYPE_F32);
    float *input = net_make_input(BATCH, NET_H, NET_W), logits[BATCH][NET_CLASSES];
    const int k = net->nodes[net->count - 1].linear.in_features;
    const struct vgg_tensor *shift = NULL;
    for (size_t i = 0; i < net->count; i++) {
        shift = net->nodes[i].op == VGG_OP_BATCH_NORM ? net->nodes[i].norm.bias : shift;
    }
    ck_assert_ptr_nonnull(shift);
    float *shifts = calloc((size_t)k, sizeof *shifts);
    ck_assert_ptr_nonnull(shifts);
    for (int nonzero = k / 4 * 3; nonzero <= k / 4 * 3 + 1; nonzero++) {
        for (int i = 0; i < k; i++) {
            shifts[i] = i < nonzero ? 1e3F : -1e3F;
        }
        /* Where they are is aligned to nothing, as in files. */
        memcpy((void *)(uintptr_t)shift->data, shifts, (size_t)k * sizeof *shifts);
        compute(net, input, logits, net->count - 2, inputs);
        for (int i = 0; i < k; i++) {
            ck_assert_int_eq(inputs[0][i] > 0, i < nonzero);
        }
        check_counts(net, input, 1, inputs, VGG_DTYPE_F32);
    }
    free(shifts);
    free(input);
    net_destroy(net);
}
END_TEST

/* An image with one NaN or infinity gives what weights in rows give, and leaves every bit of the images
 * beside it. */
START_TEST(multiplies_what_is_no_number)
{
    const float strange[] = {NAN, INFINITY, -INFINITY};
    float *input = net_make_input(BATCH, NET_H, NET_W);
    float *pixel = input + 4 * 3 * NET_H * NET_W + NET_W + 1;
    float rows[BATCH][NET_CLASSES], columns[BATCH][NET_CLASSES], before[BATCH][NET_CLASSES];
    struct net *net = net_create(), *stored = net_create();
    net_store_in_columns(stored, VGG_DTYPE_F32);
    const struct vgg_plan_options options = make_options(VGG_ISA_AUTO, BATCH);
    plan_run(stored, &options, 1, &(struct plan_input){input, BATCH, BATCH}, NULL, &before[0][0]);
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        *pixel = strange[i];
        plan_run(net, &options, 1, &(struct plan_input){input, BATCH, BATCH}, NULL, &rows[0][0]);
        plan_run(stored, &options, 1, &(struct plan_input){input, BATCH, BATCH}, NULL,
                 &columns[0][0]);
        for (int n = 0; n < BATCH; n++) {
            for (int c = 0; c < NET_CLASSES; c++) {
                ck_assert_int_eq(isfinite(columns[n][c]), isfinite(rows[n][c]));
                ck_assert(n == 4 || memcmp(&columns[n][c], &before[n][c], sizeof(float)) == 0);
            }
        }
        ck_assert(!isfinite(columns[4][0]));
    }
    net_destroy(net);
    net_destroy(stored);
    free(input);
}
END_TEST

UNIT_MAIN("columns", agrees_with_double_precision, agrees_where_the_classifier_moves,
          copies_what_it_cannot_read, reads_what_inputs_need, reads_few_zeros,
          multiplies_what_is_no_number)
