/* SPDX-License-Identifier: MIT */
/* winograd and cost: plans with every algorithm and in both forms against double precision, the same bits
 * for all threads, batches and forms; what is chosen does not depend on threads; scratch is bounded;
 * infinities stay in their channels. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "plan/f32/choose_conv.h"
#include "plan/executor.h"
#include "plan/plan.h"
#include "plan_net.h"
#include "plan_run.h"

enum { BATCH = 3, THREADS = 4, NODES = 13 };

/* Odd and even planes; a pool drops a row, a column, both or none; tiles hang over all edges. */
static const struct vgg_shape sizes[] = {{3, 13, 17}, {3, 7, 5}, {3, 16, 14}, {3, 4, 4}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static const enum vgg_algorithm forms[] = {VGG_WINOGRAD_TILES, VGG_WINOGRAD_FREQUENCY};

/* The relative error that four convolutions of at most 40 channels may add up to. One layer of 256 has a
 * root mean square error of 4.3e-7, 1.2e-6 and 5.2e-6 (tests/kernels/ measures it), which falls with the
 * root of the channels. Measured here: 4.5e-7, 9.3e-7 and 3.5e-6 at most, on any instruction set. */
static double tolerance(enum vgg_conv_algorithm conv)
{
    switch (conv) {
    case VGG_CONV_F4:
        return 2e-6;
    case VGG_CONV_F6:
    case VGG_CONV_AUTO:
        return 8e-6;
    default:
        return 1e-6;
    }
}

static int m_of(enum vgg_conv_algorithm conv)
{
    return conv == VGG_CONV_F2 ? 2 : conv == VGG_CONV_F4 ? 4 : conv == VGG_CONV_F6 ? 6 : 0;
}

static struct vgg_plan_options make_options(const struct vgg_kernels *kernels,
                                            struct vgg_shape input, enum vgg_conv_algorithm conv)
{
    return (struct vgg_plan_options){.kernels = kernels,
                                     .batch = BATCH,
                                     .conv = conv,
                                     .input = input,
                                     .activation_bytes = 1 << 26};
}

static struct vgg_plan *make_plan(const struct net *net, const struct vgg_plan_options *options,
                                  struct vgg_pool *pool)
{
    struct vgg_error err = {0};
    struct vgg_plan *plan;
    vgg_status status = vgg_plan_create(&(struct vgg_net){net->nodes, net->count, "net"}, options,
                                        pool, &plan, &err);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    return plan;
}

/* The logits [BATCH] in double precision. */
static void compute(const struct net *net, struct vgg_shape input_shape, const float *input,
                    float (*logits)[NET_CLASSES])
{
    static float outputs[2][NET_LARGEST];
    for (size_t n = 0; n < BATCH; n++) {
        struct vgg_shape shape = input_shape;
        const float *in = input + n * 3 * (size_t)shape.h * (size_t)shape.w;
        for (size_t i = 0; i < net->count; i++) {
            shape = net_compute(net, i, shape, in, outputs[i % 2]);
            in = outputs[i % 2];
        }
        memcpy(logits[n], in, sizeof logits[n]);
    }
}

/* Whether the steps are what was asked for: all convolutions but the first, and their pools fused. */
static void check_steps(const struct net *net, const struct vgg_plan_options *options)
{
    struct vgg_pool *pool;
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    struct vgg_plan *plan = make_plan(net, options, pool);
    int convolutions = 0, pools = 0;
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_step *step = &plan->steps[s];
        if (vgg_step_is_conv(step) && convolutions++ > 0) {
            ck_assert_int_eq(step->kind, VGG_STEP_WINOGRAD_CONV);
            ck_assert_int_eq(step->winograd_conv.algorithm, options->form);
            ck_assert_int_eq(step->winograd_conv.layout.m, m_of(options->conv));
            pools += step->winograd_conv.pool;
        }
    }
    ck_assert_int_eq(convolutions, 4);
    ck_assert_int_eq(pools, 2);
    vgg_plan_destroy(plan);
    vgg_pool_destroy(pool);
}

START_TEST(agrees_with_double_precision)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    struct net *net = net_create_small_kernels();
    for (int size = 0; size < SIZES && kernels != NULL; size++) {
        float want[BATCH][NET_CLASSES], got[BATCH][NET_CLASSES];
        float *input = net_make_input(BATCH, sizes[size].h, sizes[size].w);
        compute(net, sizes[size], input, want);
        for (enum vgg_conv_algorithm conv = VGG_CONV_AUTO; conv <= VGG_CONV_F6; conv++) {
            for (int kind = 0; kind < 4; kind++) {
                struct vgg_plan_options options = make_options(kernels, sizes[size], conv);
                options.form = forms[kind % 2];
                options.one_shot = kind >= 2;
                if (m_of(conv) != 0) {
                    check_steps(net, &options);
                }
                plan_run(net, &options, 2, &(struct plan_input){input, BATCH, BATCH}, NULL, got[0]);
                for (int n = 0; n < BATCH; n++) {
                    const double error = plan_compare(got[n], want[n], NET_CLASSES);
                    ck_assert_msg(error <= tolerance(conv), "%s %dx%d algorithm %d: error %g",
                                  kernels->isa, sizes[size].h, sizes[size].w, (int)conv, error);
                }
            }
        }
        free(input);
    }
    net_destroy(net);
}
END_TEST

START_TEST(nothing_changes_a_bit)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    const int every = _i == PLAN_MODEL ? 7 : 1; /* a model is slow: three cases, with all forms */
    struct net *net = net_create_small_kernels();
    for (int size = 0; size < 2 && kernels != NULL; size++) {
        float *input = net_make_input(BATCH, sizes[size].h, sizes[size].w);
        for (enum vgg_conv_algorithm conv = VGG_CONV_AUTO; conv <= VGG_CONV_F6; conv++) {
            float first[BATCH][NET_CLASSES], other[BATCH][NET_CLASSES];
            struct vgg_plan_options options = make_options(kernels, sizes[size], conv);
            const bool forced = conv >= VGG_CONV_DIRECT; /* else the batch decides on m */
            options.batch = forced ? 1 : BATCH;
            plan_run(net, &options, 1, &(struct plan_input){input, BATCH, 1}, NULL, first[0]);
            for (int i = every / 2; i < 2 * THREADS * BATCH; i += every) {
                const int at_once = 1 + i / 2 % BATCH;
                options.form = forced ? forms[i % 2] : VGG_DIRECT;
                options.batch = forced ? at_once : BATCH;
                options.one_shot = forced && i % 3 == 0; /* weights prepacked by each run */
                options.low_memory = forced && i % 5 == 0;
                plan_run(net, &options, 1 + i / 2 / BATCH,
                         &(struct plan_input){input, BATCH, at_once}, NULL, other[0]);
                ck_assert_mem_eq(other, first, sizeof first);
            }
        }
        free(input);
    }
    net_destroy(net);
}
END_TEST

/* A run on images that are not finite leaves nothing behind: not in frames, nor in channels past the
 * last one, nor beside partial tiles. */
START_TEST(forgets_earlier_runs)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    struct net *net = net_create_small_kernels();
    for (enum vgg_conv_algorithm conv = VGG_CONV_DIRECT; conv <= VGG_CONV_F6 && kernels != NULL;
         conv++) {
        for (int form = 0; form < 2; form++) {
            float logits[3][NET_CLASSES];
            float *input = net_make_input(3, sizes[0].h, sizes[0].w);
            const size_t image = 3 * (size_t)sizes[0].h * (size_t)sizes[0].w;
            for (size_t i = 0; i < image; i++) {
                input[image + i] = i % 2 == 0 ? NAN : INFINITY;
            }
            memcpy(input + 2 * image, input, image * sizeof *input);
            struct vgg_plan_options options = make_options(kernels, sizes[0], conv);
            options.form = forms[form];
            plan_run(net, &options, 2, &(struct plan_input){input, 3, 1}, NULL, logits[0]);
            ck_assert_mem_eq(logits[2], logits[0], sizeof logits[0]);
            ck_assert(!isfinite(logits[1][0]));
            free(input);
        }
    }
    net_destroy(net);
}
END_TEST

struct listener {
    const struct net *net;
    struct vgg_shape shape; /* of the node heard last */
    size_t heard;
    float expected[NET_LARGEST];
};

/* Finite, infinite or not a number must be as in the definition. */
static void check_classes(void *user, const char *name, const int64_t *shape, int ndim,
                          const float *data)
{
    (void)shape;
    (void)ndim;
    struct listener *listener = user;
    static float out[NET_LARGEST];
    const int before = plan_allocations;
    listener->shape =
        net_compute(listener->net, listener->heard++, listener->shape, listener->expected, out);
    const struct vgg_shape s = listener->shape;
    memcpy(listener->expected, out, sizeof out);
    for (int i = 0; i < s.c * s.h * s.w; i++) {
        ck_assert_msg(!isnan(out[i]) == !isnan(data[i]) && !isinf(out[i]) == !isinf(data[i]),
                      "%s: element %d: expected %g, got %g", name, i, (double)out[i],
                      (double)data[i]);
    }
    plan_allocations = before;
}

static void set_value(const struct vgg_tensor *tensor, int index, float value)
{
    memcpy((char *)tensor->data + (size_t)index * sizeof value, &value, sizeof value);
}

/* One channel is infinite, and makes the next convolution's channels +infinity for one and -infinity, which
 * ReLU clears, for the others: so there is no NaN before the fourth convolution. */
START_TEST(infinities_stay_in_their_channels)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    struct net *net = net_create_small_kernels();
    float *input = net_make_input(1, sizes[0].h, sizes[0].w), logits[NET_CLASSES];
    static struct listener listener;
    listener = (struct listener){.net = net, .shape = sizes[0]};
    memcpy(listener.expected, input, 3 * (size_t)(sizes[0].h * sizes[0].w) * sizeof *input);
    set_value(net->nodes[0].conv.bias, 0, INFINITY);
    for (int oc = 0; oc < 37; oc++) {
        for (int k = 0; k < 9; k++) {
            set_value(net->nodes[2].conv.weight, oc * 20 * 9 + k, oc == 0 ? 1 : -1);
        }
        set_value(net->nodes[3].norm.weight, oc, 1);
    }
    if (kernels != NULL) {
        struct vgg_plan_options options = make_options(kernels, sizes[0], VGG_CONV_F4);
        plan_run(net, &options, 2, &(struct plan_input){input, 1, 1},
                 &(struct plan_listener){check_classes, &listener}, logits);
        ck_assert_uint_eq(listener.heard, net->count);
    }
    free(input);
    net_destroy(net);
}
END_TEST

/* --- denormals -------------------------------------------------------------------------------- */

/* The first layer's outputs become denormal, and stay so: no bias or BatchNorm lifts them. */
static void make_denormal(struct net *net)
{
    const struct vgg_conv2d *first = &net->nodes[0].conv;
    for (int i = 0; i < 20 * 3 * 9; i++) {
        float value;
        memcpy(&value, (const char *)first->weight->data + (size_t)i * sizeof value, sizeof value);
        set_value(first->weight, i, value * 1e-39f);
    }
    for (int oc = 0; oc < 40; oc++) {
        if (oc < 20) {
            set_value(first->bias, oc, 0);
        }
        if (oc < 37) {
            set_value(net->nodes[3].norm.bias, oc, 0);
            set_value(net->nodes[3].norm.running_mean, oc, 0);
        }
        set_value(net->nodes[6].conv.bias, oc, 0);
        if (oc < 33) {
            set_value(net->nodes[8].conv.bias, oc, 0);
        }
    }
}

static bool denormals_are_on(void)
{
    volatile float small = 1e-39f;
    return small * 0.5f != 0;
}

/* Weights of the classifier so large that with them denormal activations would change the logits. */
static void enlarge_classifier(struct net *net)
{
    const struct vgg_linear *linear = &net->nodes[net->count - 1].linear;
    for (int i = 0; i < 33 * 2 * NET_CLASSES; i++) {
        float value;
        memcpy(&value, (const char *)linear->weight->data + (size_t)i * sizeof value, sizeof value);
        set_value(linear->weight, i, value * 1e37f);
    }
}

static void run_denormal(struct net *net, const struct vgg_plan_options *options,
                         struct vgg_pool *pool, const float *input, float *logits)
{
    struct vgg_plan *plan = make_plan(net, options, pool);
    struct vgg_executor *executor;
    ck_assert_int_eq(vgg_executor_create(plan, pool, NULL, &executor, NULL), VGG_OK);
    vgg_executor_run(executor, input, BATCH, logits);
    vgg_executor_destroy(executor);
    vgg_plan_destroy(plan);
    ck_assert(denormals_are_on());
}

/* A run in which every activation is denormal. A processor takes many times as long for such numbers unless it
 * is set to take them for zeros, which does not change the rounded logits, as the bias of the last layer outweighs
 * them. With a large classifier they would be seen. The calling thread, which works too, has its
 * own mode back afterwards. */
START_TEST(denormals_count_as_zeros)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    float *input = net_make_input(BATCH, sizes[2].h, sizes[2].w);
    struct vgg_pool *pool;
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    for (enum vgg_conv_algorithm conv = VGG_CONV_DIRECT; conv <= VGG_CONV_F6 && kernels != NULL;
         conv++) {
        const struct vgg_plan_options options = make_options(kernels, sizes[2], conv);
        float want[BATCH][NET_CLASSES], got[BATCH][NET_CLASSES];
        struct net *net = net_create_small_kernels();
        make_denormal(net);
        run_denormal(net, &options, pool, input, got[0]);
        compute(net, sizes[2], input, want);
        for (int n = 0; n < BATCH; n++) {
            ck_assert_double_le(plan_compare(got[n], want[n], NET_CLASSES), tolerance(conv));
        }
        const float *bias = net->nodes[net->count - 1].linear.bias->data;
        enlarge_classifier(net);
        run_denormal(net, &options, pool, input, got[0]);
        for (int n = 0; n < BATCH && VGG_HAS_DENORMAL_MODE; n++) {
            ck_assert_mem_eq(got[n], bias, sizeof got[n]);
        }
        net_destroy(net);
    }
    vgg_pool_destroy(pool);
    free(input);
}
END_TEST

/* --- the choice ------------------------------------------------------------------------------- */

enum { VGG_LAYERS = 9 };
struct layer {
    int ic, oc, side;
};
static const struct layer layers[VGG_LAYERS] = {{3, 64, 224},    {64, 64, 224},  {64, 128, 112},
                                                {128, 128, 112}, {128, 256, 56}, {256, 256, 56},
                                                {256, 512, 28},  {512, 512, 28}, {512, 512, 14}};

enum { BUDGET_BYTES = 10 << 20 };

/* What would be chosen for a layer, within a budget if the plan is one for low memory. */
static struct vgg_conv_choice choose_within(const struct vgg_plan_options *options,
                                            const struct layer *layer, size_t budget_bytes)
{
    struct vgg_plan plan = {.options = *options};
    struct vgg_conv_choice choice;
    const struct vgg_tensor weight = {.layout = VGG_LAYOUT_ROWS};
    const struct vgg_conv2d conv = {.ic = layer->ic,
                                    .oc = layer->oc,
                                    .kernel = 3,
                                    .stride = 1,
                                    .padding = 1,
                                    .weight = &weight};
    const struct vgg_conv_request request = {
        .conv = &conv,
        .in = {conv.ic, layer->side, layer->side},
        .nchw = layer->ic == 3,
        .budget.bytes = options->low_memory ? budget_bytes : SIZE_MAX,
    };
    ck_assert(vgg_choose_conv(&plan, &request, &choice));
    ck_assert_ptr_nonnull(choice.reason);
    vgg_arena_destroy(&plan.arena);
    choice.reason = NULL;
    return choice;
}

static struct vgg_conv_choice choose(const struct vgg_plan_options *options, int layer)
{
    return choose_within(options, &layers[layer], BUDGET_BYTES);
}

/* F(4) and F(6) round coarsely where few products are summed: a plan takes them there only when asked. */
START_TEST(few_channels_are_transformed_finely)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    if (kernels == NULL) {
        return;
    }
    struct vgg_plan_options plan = {
        .kernels = kernels, .batch = 1, .threads = 2, .activation_bytes = 1ull << 32};
    for (int ic = 1; ic < 16; ic++) {
        for (int side = 8; side <= 512; side *= 4) {
            const struct layer few = {ic == 3 ? 4 : ic, 64, side};
            plan.conv = VGG_CONV_AUTO;
            ck_assert_int_le(choose_within(&plan, &few, SIZE_MAX).winograd.m, 2);
            plan.conv = VGG_CONV_F4;
            ck_assert_int_eq(choose_within(&plan, &few, SIZE_MAX).winograd.m, 4);
        }
    }
    const struct layer enough = {16, 64, 128};
    plan.conv = VGG_CONV_AUTO;
    ck_assert_int_ge(choose_within(&plan, &enough, SIZE_MAX).winograd.m, 4);
}
END_TEST

START_TEST(m_does_not_depend_on_threads)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    for (int i = 0; i < 6 * VGG_LAYERS && kernels != NULL; i++) {
        const int layer = i / 6;
        struct vgg_plan_options plan = {.kernels = kernels,
                                        .batch = i % 2 == 0 ? 1 : 8,
                                        .threads = 1,
                                        .one_shot = i / 2 % 3 != 0,
                                        .low_memory = i / 2 % 3 == 2,
                                        .activation_bytes = 1 << 28};
        for (plan.conv = VGG_CONV_AUTO; plan.conv <= VGG_CONV_F6; plan.conv++) {
            plan.threads = 1;
            const struct vgg_conv_choice alone = choose_within(&plan, &layers[layer], 2 << 20);
            for (plan.threads = 2; plan.threads <= 1024; plan.threads *= 2) {
                const struct vgg_conv_choice c = choose_within(&plan, &layers[layer], 2 << 20);
                ck_assert_int_eq(c.winograd.m, alone.winograd.m);
                ck_assert_int_eq(c.algorithm == VGG_DIRECT, alone.algorithm == VGG_DIRECT);
            }
            const int m = m_of(plan.conv);
            ck_assert(layer == 0 || m == 0 || alone.winograd.m == m);
            ck_assert(plan.conv != VGG_CONV_EXACT || alone.winograd.m == 0 ||
                      alone.winograd.m == 2);
        }
    }
}
END_TEST

/* Scratch and prepacked weights of a plan for low memory keep to the budget, however many threads there are. */
START_TEST(keeps_to_the_budget)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    bool beyond = false; /* without the bound */
    for (int i = 1; i < VGG_LAYERS && kernels != NULL; i++) {
        struct vgg_plan_options plan = {.kernels = kernels,
                                        .batch = 1,
                                        .threads = 64,
                                        .one_shot = true,
                                        .low_memory = true,
                                        .activation_bytes = 1ull << 32};
        const struct vgg_conv_choice c = choose(&plan, i);
        const size_t L = (size_t)kernels->lanes, group = L * (size_t)kernels->conv_blocks;
        const size_t f =
            c.algorithm == VGG_DIRECT ? 9 : (size_t)((c.winograd.m + 2) * (c.winograd.m + 2));
        const size_t groups = c.algorithm == VGG_DIRECT ? ((size_t)layers[i].oc + group - 1) / group
                                                        : (size_t)c.winograd.groups;
        const size_t channels = ((size_t)layers[i].ic + L - 1) / L * L;
        const size_t weights = f * groups * channels * group * sizeof(float);
        ck_assert_uint_le(weights +
                              (size_t)c.scratch.slots * c.scratch.slot_elements * sizeof(float),
                          BUDGET_BYTES);
        plan.low_memory = false;
        const struct vgg_conv_choice other = choose(&plan, i);
        const size_t scratch =
            (size_t)other.scratch.slots * other.scratch.slot_elements * sizeof(float);
        beyond = beyond || scratch > BUDGET_BYTES;
    }
    ck_assert(beyond || kernels == NULL);
}
END_TEST

START_TEST(scratch_is_bounded)
{
    const struct vgg_kernels *kernels = plan_find_kernels(_i);
    for (int i = 0; i < 6 * VGG_LAYERS && kernels != NULL; i++) {
        struct vgg_plan_options plan = {.kernels = kernels,
                                        .batch = 1,
                                        .threads = 1024,
                                        .conv = (enum vgg_conv_algorithm)(VGG_CONV_F2 + i % 3),
                                        .form = forms[i / 3 % 2],
                                        .activation_bytes = 1ull << 32};
        struct vgg_conv_choice c = choose(&plan, i / 6);
        const int side = layers[i / 6].side;
        /* No more than all of the layer's transformed input, and products of a group a block. */
        const double n = c.winograd.m + 2, L = kernels->lanes;
        const double tiles = (double)vgg_round_tiles(kernels, (size_t)c.winograd.tiles_h *
                                                                  (size_t)c.winograd.tiles_w);
        const double channels = layers[i / 6].ic * kernels->v_lanes / L + layers[i / 6].oc + 4 * L;
        const double bytes =
            (double)c.scratch.slots * (double)c.scratch.slot_elements * sizeof(float);
        ck_assert_double_le(bytes, 1.6 * n * n * tiles * channels * sizeof(float));
        /* Where the limit leaves less, fewer blocks are made at a time, or none. */
        plan.activation_bytes = (uint64_t)side * 200000;
        c = choose(&plan, i / 6);
        ck_assert_double_le((double)c.scratch.slots * (double)c.scratch.slot_elements *
                                sizeof(float),
                            0.26 * (double)plan.activation_bytes);
        plan.activation_bytes = 1000;
        ck_assert_int_eq(choose(&plan, i / 6).algorithm, VGG_DIRECT);
    }
}
END_TEST

START_TEST(refuses_what_is_too_large)
{
    struct net *net = net_create_small_kernels();
    const struct vgg_shape shapes[] = {
        {3, 30000, 30000}, {3, INT32_MAX, 2}, {3, INT32_MAX, INT32_MAX}};
    struct vgg_pool *pool;
    ck_assert_int_eq(vgg_pool_create(2, NULL, &pool, NULL), VGG_OK);
    for (int i = 0; i < 3 * (VGG_CONV_F6 + 1); i++) {
        struct vgg_plan_options options =
            make_options(&vgg_kernels_scalar, shapes[i % 3], (enum vgg_conv_algorithm)(i / 3));
        struct vgg_error err = {0};
        struct vgg_plan *plan;
        options.batch = 4096;
        options.activation_bytes = 4ull << 30;
        const vgg_status status = vgg_plan_create(
            &(struct vgg_net){net->nodes, net->count, "net.pth"}, &options, pool, &plan, &err);
        ck_assert_ptr_null(plan);
        ck_assert(status == VGG_ERR_LIMIT || (status == VGG_ERR_MISMATCH && i % 3 == 1));
    }
    vgg_pool_destroy(pool);
    net_destroy(net);
}
END_TEST

START_TEST(unfused_nodes_are_direct)
{
    struct net *net = net_create_small_kernels();
    struct vgg_plan_options options =
        make_options(&vgg_kernels_scalar, sizes[0], (enum vgg_conv_algorithm)VGG_CONV_F4);
    struct vgg_pool *pool;
    options.unfused = true;
    ck_assert_int_eq(vgg_pool_create(1, NULL, &pool, NULL), VGG_OK);
    struct vgg_plan *plan = make_plan(net, &options, pool);
    ck_assert_int_eq(plan->step_count, (int)net->count);
    for (int s = 0; s < plan->step_count; s++) {
        const struct vgg_step *step = &plan->steps[s];
        ck_assert_int_ne(step->kind, VGG_STEP_WINOGRAD_CONV);
        if (step->node->op == VGG_OP_CONV2D) {
            ck_assert_int_eq(step->kind, VGG_STEP_DIRECT_CONV);
            ck_assert_ptr_eq(step->last, step->node);
        }
    }
    vgg_plan_destroy(plan);
    vgg_pool_destroy(pool);
    net_destroy(net);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("winograd");
    TCase *tcase = tcase_create("winograd");
    const TTest *const each_isa[] = {agrees_with_double_precision,
                                     nothing_changes_a_bit,
                                     forgets_earlier_runs,
                                     infinities_stay_in_their_channels,
                                     denormals_count_as_zeros,
                                     few_channels_are_transformed_finely,
                                     m_does_not_depend_on_threads,
                                     keeps_to_the_budget,
                                     scratch_is_bounded};
    for (size_t i = 0; i < sizeof each_isa / sizeof *each_isa; i++) {
        tcase_add_loop_test(tcase, each_isa[i], VGG_ISA_SCALAR, PLAN_TABLES);
    }
    tcase_add_test(tcase, refuses_what_is_too_large);
    tcase_add_test(tcase, unfused_nodes_are_direct);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_VERBOSE);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
