/* SPDX-License-Identifier: MIT */
/* plan: fused and unfused against double precision, for every ISA; the same bits for all threads and
 * batches; runs that allocate nothing; nets it must refuse. */
#include "unit.h"

#include <string.h>

#include "kernels/dispatch.h"
#include "base/arith.h"
#include "plan/f32/linear_weights.h"
#include "plan/plan.h"
#include "session/roofline.h"
#include "plan_net.h"
#include "plan_run.h"

enum { BATCH = 3, THREADS = 3 };
static const struct vgg_shape input_shape = {3, NET_H, NET_W};

/* What a test starts from. */
struct setup {
    struct net *net;
    float *input; /* [BATCH] images */
};

static struct setup set_up(void)
{
    return (struct setup){net_create(), net_make_input(BATCH, NET_H, NET_W)};
}

/* Fully connected weights as if they were stored transposed: other numbers, but any will do. */
static void transpose_linear(struct net *net, bool transposed)
{
    for (size_t i = 0; i < net->count; i++) {
        if (net->nodes[i].op == VGG_OP_LINEAR) {
            struct vgg_tensor *weight = &net->tensors[net->nodes[i].linear.weight - net->tensors];
            weight->stride[0] = transposed ? 1 : weight->shape[1];
            weight->stride[1] = transposed ? weight->shape[0] : 1;
        }
    }
}

static void tear_down(struct setup *setup)
{
    net_destroy(setup->net);
    free(setup->input);
}

static struct vgg_plan_options make_options(const struct vgg_kernels *kernels, int batch)
{
    return (struct vgg_plan_options){
        .kernels = kernels, .batch = batch, .input = input_shape, .activation_bytes = 1 << 24};
}

static void run_reported(const struct setup *setup, const struct vgg_plan_options *options,
                         int threads, const struct plan_listener *listener, float *logits)
{
    plan_run(setup->net, options, threads, &(struct plan_input){setup->input, BATCH, BATCH},
             listener, logits);
}

static void run(const struct setup *setup, const struct vgg_plan_options *options, int threads,
                int at_once, float *logits)
{
    plan_run(setup->net, options, threads, &(struct plan_input){setup->input, BATCH, at_once}, NULL,
             logits);
}

/* Every node's output in double precision, fed to the next one as float32. */
static void compute_all(const struct setup *setup, float (*outputs)[BATCH][NET_LARGEST],
                        struct vgg_shape *shapes)
{
    for (int n = 0; n < BATCH; n++) {
        const float *in = setup->input + (size_t)n * 3 * NET_H * NET_W;
        struct vgg_shape shape = input_shape;
        for (size_t i = 0; i < setup->net->count; i++) {
            shape = shapes[i] = net_compute(setup->net, i, shape, in, outputs[i][n]);
            in = outputs[i][n];
        }
    }
}

/* float32 through a dozen layers, none of which sums more than 525 terms. */
static const double tolerance = 2e-6;
static float expected[NET_NODES][BATCH][NET_LARGEST];
static struct vgg_shape shapes[NET_NODES];

struct listener {
    const struct net *net;
    size_t heard;
    bool flat; /* since the flattening */
};

static void check_node(void *user, const char *name, const int64_t *shape, int ndim,
                       const float *data)
{
    struct listener *listener = user;
    const int before = plan_allocations;
    const size_t i = listener->heard++;
    ck_assert_uint_lt(i, listener->net->count);
    ck_assert_str_eq(name, listener->net->nodes[i].name);
    const struct vgg_shape want = shapes[i];
    const bool features = listener->flat || listener->net->nodes[i].op == VGG_OP_FLATTEN;
    listener->flat = features;
    ck_assert_int_eq(ndim, features ? 2 : 4);
    ck_assert_int_eq(shape[0], BATCH);
    ck_assert_int_eq(shape[1], want.c);
    if (!features) {
        ck_assert_int_eq(shape[2], want.h);
        ck_assert_int_eq(shape[3], want.w);
    }
    const size_t count = (size_t)want.c * (size_t)want.h * (size_t)want.w;
    for (size_t n = 0; n < BATCH; n++) {
        const double error = plan_compare(data + n * count, expected[i][n], count);
        ck_assert_msg(error <= tolerance, "%s: image %zu: error %g", name, n, error);
    }
    plan_allocations = before; /* those of the assertions do not count */
}

/* Fused and unfused on every ISA. */
static void check_agreement(const struct setup *setup)
{
    compute_all(setup, expected, shapes);
    float(*want)[NET_LARGEST] = expected[setup->net->count - 1];
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
        float fused[BATCH][NET_CLASSES], unfused[BATCH][NET_CLASSES];
        struct listener listener = {.net = setup->net};
        if (kernels == NULL) {
            continue;
        }
        struct vgg_plan_options options = make_options(kernels, BATCH);
        run(setup, &options, 2, BATCH, fused[0]);
        run_reported(setup, &options, 2, &(struct plan_listener){check_node, &listener},
                     unfused[0]);
        ck_assert_uint_eq(listener.heard, setup->net->count);
        for (int n = 0; n < BATCH; n++) {
            ck_assert_double_le(plan_compare(fused[n], want[n], NET_CLASSES), tolerance);
            ck_assert_double_le(plan_compare(unfused[n], want[n], NET_CLASSES), tolerance);
        }
    }
}

START_TEST(agrees_with_double_precision)
{
    struct setup setup = set_up();
    check_agreement(&setup);
    tear_down(&setup);
}
END_TEST

/* Preparing weights before each step of each run, also in little memory, or once for all. Fully connected weights are once in
 * place, once transposed, so that they must be copied. */
START_TEST(one_shot_changes_no_bit)
{
    struct setup setup = set_up();
    for (int i = 0; i < 2 * (VGG_ISA_NEON + 1); i++) {
        const struct vgg_kernels *kernels = vgg_kernels_find((enum vgg_isa)(i / 2), NULL);
        float steady[BATCH][NET_CLASSES], one_shot[BATCH][NET_CLASSES];
        if (kernels == NULL) {
            continue;
        }
        transpose_linear(setup.net, i % 2 != 0);
        struct vgg_plan_options options = make_options(kernels, BATCH);
        options.conv = VGG_CONV_DIRECT;
        run(&setup, &options, 2, BATCH, steady[0]);
        for (int low = 0; low < 2; low++) {
            options.one_shot = low == 0;
            options.low_memory = low != 0;
            for (int threads = 1; threads <= THREADS; threads++) {
                run(&setup, &options, threads, threads, one_shot[0]);
                ck_assert_mem_eq(one_shot, steady, sizeof steady);
            }
        }
    }
    tear_down(&setup);
}
END_TEST

START_TEST(takes_other_strides)
{
    struct setup setup = set_up();
    setup.net->nodes[0].conv.stride = 2; /* of the NCHW input */
    setup.net->nodes[9].conv.stride = 3;
    check_agreement(&setup);
    setup.net->nodes[0].conv.stride = 1;
    setup.net->nodes[3].conv.stride = 2; /* 3 x 3 with padding 1, which Winograd must leave alone */
    check_agreement(&setup);
    tear_down(&setup);
}
END_TEST

/* In the place of features.7, a BatchNorm, after 21 channels: with others past the last one. */
START_TEST(normalises_local_responses)
{
    struct setup setup = set_up();
    struct vgg_node *node = &setup.net->nodes[7];
    *node = (struct vgg_node){.op = VGG_OP_LRN, .name = node->name};
    node->lrn = (struct vgg_lrn){.size = 5, .alpha = 0.5, .beta = 0.75, .k = 2};
    check_agreement(&setup);
    node->lrn = (struct vgg_lrn){.size = 2, .alpha = 2, .beta = 0.5, .k = 1};
    check_agreement(&setup);

    /* Past the last channel this is 0 / 0, which must not reach the next convolution. */
    node->lrn.k = 0;
    node->lrn.size = 1;
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
        float logits[BATCH][NET_CLASSES];
        if (kernels != NULL) {
            struct vgg_plan_options options = make_options(kernels, BATCH);
            run(&setup, &options, 2, BATCH, logits[0]);
            plan_compare(logits[0], logits[0], BATCH * NET_CLASSES); /* all are finite */
        }
    }
    tear_down(&setup);
}
END_TEST

/* A run in one image and thread, and all others: the same bits. */
static void check_bits(const struct setup *setup)
{
    for (enum vgg_isa isa = VGG_ISA_SCALAR; isa <= VGG_ISA_NEON; isa++) {
        const struct vgg_kernels *kernels = vgg_kernels_find(isa, NULL);
        for (int unfused = 0; unfused < 2 && kernels != NULL; unfused++) {
            float first[BATCH][NET_CLASSES], other[BATCH][NET_CLASSES];
            struct vgg_plan_options options = make_options(kernels, 1);
            options.conv = VGG_CONV_DIRECT; /* for another batch others may be faster */
            options.unfused = unfused;
            run(setup, &options, 1, 1, first[0]);
            for (int threads = 1; threads <= THREADS; threads++) {
                for (int batch = 1; batch <= BATCH; batch++) {
                    /* A plan for more images than it is given must not mind either. */
                    for (int at_once = 1; at_once <= batch; at_once++) {
                        options.batch = batch;
                        memset(other, 0, sizeof other);
                        run(setup, &options, threads, at_once, other[0]);
                        ck_assert_mem_eq(other, first, sizeof first);
                    }
                }
            }
        }
    }
}

START_TEST(threads_and_batch_change_no_bit)
{
    struct setup setup = set_up();
    check_bits(&setup);
    tear_down(&setup);
}
END_TEST

/* Fully connected weights of 16 bits are read where they are, in every plan, unless BatchNorm changes them: nobody
 * keeps floats of them. */
static void check_halves(struct net *net, enum vgg_dtype dtype)
{
    struct setup setup = {net, net_make_input(BATCH, NET_H, NET_W)};
    net_store_in_halves(net, dtype);
    check_agreement(&setup);
    check_bits(&setup);
    for (int i = 0; i < 3; i++) {
        struct vgg_plan_options options = make_options(vgg_kernels_find(VGG_ISA_AUTO, NULL), BATCH);
        struct vgg_pool *pool;
        struct vgg_plan *plan;
        options.one_shot = i == 1;
        options.low_memory = i == 2;
        ck_assert_int_eq(vgg_pool_create(2, NULL, &pool, NULL), VGG_OK);
        ck_assert_int_eq(vgg_plan_create(&(struct vgg_net){net->nodes, net->count, "net"}, &options,
                                         pool, &plan, NULL),
                         VGG_OK);
        int in_place = 0;
        for (int s = 0; s < plan->step_count; s++) {
            const struct vgg_step *step = &plan->steps[s];
            const struct vgg_folded_weights *weights = &step->linear.weights;
            if (vgg_step_is_linear(step) && weights->norm == NULL) {
                in_place++;
                const struct vgg_linear_view linear = vgg_linear_view(step);
                ck_assert_ptr_eq(step->linear.in_place, linear.weight->data);
                ck_assert(weights->elements == 0 && weights->rows_elements == 0);
                ck_assert_uint_eq(plan->info[s].weight_bytes,
                                  2 * (uint64_t)linear.rows * linear.features);
                ck_assert_str_eq(plan->info[s].algorithm, dtype == VGG_DTYPE_F16
                                                              ? "in place, float16"
                                                              : "in place, bfloat16");
            }
        }
        ck_assert_int_gt(in_place, 0);
        vgg_plan_destroy(plan);
        vgg_pool_destroy(pool);
    }
    tear_down(&setup);
}

START_TEST(reads_halves_in_place)
{
    for (int i = 0; i < 4; i++) {
        check_halves(i < 2 ? net_create() : net_create_dense(),
                     i % 2 == 0 ? VGG_DTYPE_BF16 : VGG_DTYPE_F16);
    }
}
END_TEST

/* A batch has 90 windows, more than are gathered at a time. */
START_TEST(moves_a_classifier_over_the_image)
{
    struct setup setup = {net_create_dense(), net_make_input(BATCH, NET_H, NET_W)};
    check_agreement(&setup);
    check_bits(&setup);

    /* Less memory for windows changes no bit. */
    float logits[BATCH][NET_CLASSES], other[BATCH][NET_CLASSES];
    struct vgg_plan_options options = make_options(&vgg_kernels_scalar, BATCH);
    options.conv = VGG_CONV_DIRECT;
    run(&setup, &options, 2, BATCH, logits[0]);
    options.activation_bytes = 300000;
    run(&setup, &options, 2, BATCH, other[0]);
    ck_assert_mem_eq(other, logits, sizeof logits);
    tear_down(&setup);
}
END_TEST

/* Plans what is left of the net after a change; it must be refused with this code, and the message
 * must name the file and `word`. */
static void expect_refusal(const struct vgg_node *nodes, size_t count,
                           const struct vgg_plan_options *options, vgg_status code,
                           const char *word)
{
    struct vgg_error err = {0};
    struct vgg_pool *pool;
    struct vgg_plan *plan = (struct vgg_plan *)&err;
    ck_assert_int_eq(vgg_pool_create(2, NULL, &pool, NULL), VGG_OK);
    ck_assert_int_eq(
        vgg_plan_create(&(struct vgg_net){nodes, count, "net.pth"}, options, pool, &plan, &err),
        code);
    ck_assert_ptr_null(plan);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.message, "net.pth: ") == err.message, "%s", err.message);
    ck_assert_msg(strstr(err.message, word) != NULL, "%s", err.message);
    vgg_pool_destroy(pool);
}

START_TEST(refuses_what_no_vgg_has)
{
    struct setup setup = set_up();
    struct vgg_node *nodes = setup.net->nodes;
    const size_t count = setup.net->count;
    struct vgg_plan_options options = make_options(&vgg_kernels_scalar, 1);

    expect_refusal(nodes, 0, &options, VGG_ERR_UNSUPPORTED, "first layer");
    expect_refusal(nodes + 1, count - 1, &options, VGG_ERR_MISMATCH, "features.1");
    expect_refusal(nodes, count - 6, &options, VGG_ERR_UNSUPPORTED, "classifier");
    expect_refusal(nodes, 6, &options, VGG_ERR_UNSUPPORTED, "features.5");

    const struct vgg_node norm = nodes[7];
    nodes[7].op = VGG_OP_LRN;
    nodes[7].lrn = (struct vgg_lrn){.size = 256, .alpha = 1, .beta = 1, .k = 1};
    expect_refusal(nodes, count, &options, VGG_ERR_UNSUPPORTED, "features.7 (LocalResponseNorm)");
    nodes[7] = norm;

    /* A convolution on features. */
    const struct vgg_node linear = nodes[13];
    nodes[13] = nodes[9];
    nodes[13].conv.ic = 7 * 3 * 2;
    expect_refusal(nodes, 14, &options, VGG_ERR_UNSUPPORTED, "features.9 (Conv2d): not expected");
    nodes[13] = linear;

    options.input = (struct vgg_shape){3, 3, 3};
    expect_refusal(nodes, count, &options, VGG_ERR_MISMATCH, "features.8");
    options.input = (struct vgg_shape){1, NET_H, NET_W};
    expect_refusal(nodes, count, &options, VGG_ERR_MISMATCH, "features.0");
    tear_down(&setup);
}
END_TEST

START_TEST(keeps_to_the_activation_limit)
{
    struct setup setup = set_up();
    struct vgg_plan_options options = make_options(&vgg_kernels_scalar, 1);
    options.activation_bytes = 10000;
    expect_refusal(setup.net->nodes, setup.net->count, &options, VGG_ERR_LIMIT, "limit");
    options.activation_bytes = UINT64_MAX;
    options.input = (struct vgg_shape){3, INT32_MAX - 8, INT32_MAX - 8}; /* overflows size_t */
    expect_refusal(setup.net->nodes, setup.net->count, &options, VGG_ERR_LIMIT, "limit");
    tear_down(&setup);
}
END_TEST

/* Weights that a one-shot plan reads by slices are nowhere as a whole: how fast they are read is not reported. A million
 * rows that are all the same one need no memory. */
START_TEST(measures_no_weights_that_are_not_there)
{
    struct setup setup = set_up();
    struct vgg_node *last = &setup.net->nodes[setup.net->count - 1];
    struct vgg_tensor *weight = &setup.net->tensors[last->linear.weight - setup.net->tensors];
    weight->shape[0] = last->linear.out_features = 1 << 20;
    weight->stride[0] = 0;
    ck_assert_int_ge(weight->shape[1], 8); /* 32 MiB of floats */
    struct vgg_plan_options options = make_options(vgg_kernels_find(VGG_ISA_AUTO, NULL), 1);
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    struct vgg_error err = {0};
    ck_assert_int_eq(vgg_pool_create(2, NULL, &pool, NULL), VGG_OK);
    for (int low = 0; low < 2; low++) {
        struct vgg_peak roof;
        options.one_shot = low == 0;
        options.low_memory = low != 0;
        vgg_status status =
            vgg_plan_create(&(struct vgg_net){setup.net->nodes, setup.net->count, "net"}, &options,
                            pool, &plan, &err);
        ck_assert_msg(status == VGG_OK, "%s", err.message);
        vgg_plan_measure_peak(plan, pool, &roof);
        ck_assert_double_gt(roof.flops_per_second, 0);
        ck_assert_double_eq(roof.bytes_per_second, 0);
        vgg_plan_destroy(plan);
    }
    vgg_pool_destroy(pool);
    tear_down(&setup);
}
END_TEST

/* Winograd's F(6) of 2^17 x 2^9 filters, all the same one, has 2^32 elements: too many for a 32-bit machine, which
 * must not take them for none. */
START_TEST(counts_elements_past_32_bits)
{
    enum { IC = 1 << 17, OC = 1 << 9 };
    static const float weights[27] = {1};
    struct vgg_tensor first = {.name = "first",
                               .ndim = 4,
                               .shape = {IC, 3, 3, 3},
                               .stride = {0, 9, 3, 1},
                               .data = weights};
    struct vgg_tensor second = {.name = "second",
                                .ndim = 4,
                                .shape = {OC, IC, 3, 3},
                                .stride = {0, 0, 3, 1},
                                .data = weights};
    struct vgg_tensor linear = {
        .name = "linear", .ndim = 2, .shape = {NET_CLASSES, OC}, .stride = {0, 0}, .data = weights};
    const struct vgg_node nodes[] = {
        {.op = VGG_OP_CONV2D, .name = "first", .conv = {3, IC, 3, 1, 1, .weight = &first}},
        {.op = VGG_OP_CONV2D, .name = "second", .conv = {IC, OC, 3, 1, 1, .weight = &second}},
        {.op = VGG_OP_ADAPTIVE_AVG_POOL, .name = "avgpool", .adaptive_pool = {.oh = 1, .ow = 1}},
        {.op = VGG_OP_FLATTEN, .name = "flatten"},
        {.op = VGG_OP_LINEAR, .name = "linear", .linear = {OC, NET_CLASSES, .weight = &linear}},
    };
    struct vgg_plan_options options = make_options(&vgg_kernels_scalar, 1);
    struct vgg_error err = {0};
    struct vgg_pool *pool;
    struct vgg_plan *plan;
    options.input = (struct vgg_shape){3, 2, 2};
    options.activation_bytes = UINT64_MAX;
    options.conv = VGG_CONV_F6;
    options.lay_out_only = true;
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    vgg_status status =
        vgg_plan_create(&(struct vgg_net){nodes, 5, "net"}, &options, pool, &plan, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_ptr_eq(plan->steps[1].node, &nodes[1]);
    const size_t elements = (size_t)9 * IC * OC,
                 most = SIZE_MAX / 8; /* more than can be allocated */
    ck_assert_uint_ge(plan->steps[1].conv.weights.elements, elements < most ? elements : most);
    vgg_plan_destroy(plan);
    vgg_pool_destroy(pool);
}
END_TEST

UNIT_MAIN("plan", agrees_with_double_precision, one_shot_changes_no_bit, reads_halves_in_place,
          takes_other_strides, normalises_local_responses, threads_and_batch_change_no_bit,
          moves_a_classifier_over_the_image, refuses_what_no_vgg_has, keeps_to_the_activation_limit,
          measures_no_weights_that_are_not_there, counts_elements_past_32_bits)
