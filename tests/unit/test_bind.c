/* SPDX-License-Identifier: MIT */
/* model/graph/bind: weights by name, and every problem in one message. */
#include "fake_net.h"

#include <math.h>

#include "model/graph/bind.h"
#include "model/graph/check_weights.h"

static void build(struct fake_net *net, struct vgg_graph *graph)
{
    struct vgg_spec spec;
    ck_assert_int_eq(fake_infer(net, NULL, &spec), VGG_OK);
    ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(net, "x.pth"), &spec, graph), VGG_OK);
}

static vgg_status bind(struct fake_net *net, struct vgg_graph *graph)
{
    return vgg_graph_bind("x.pth", "vgg11_bn", fake_list(net), graph, &net->err);
}

START_TEST(points_each_node_to_its_weights)
{
    struct fake_net net = {0};
    struct vgg_graph graph;
    fake_vgg(&net, A, true, 1000);
    build(&net, &graph);
    ck_assert_int_eq(bind(&net, &graph), VGG_OK);
    ck_assert_ptr_eq(graph.nodes[0].conv.weight, fake_find(&net, "features.0.weight"));
    ck_assert_ptr_eq(graph.nodes[0].conv.bias, fake_find(&net, "features.0.bias"));
    ck_assert_ptr_eq(graph.nodes[1].norm.running_var, fake_find(&net, "features.1.running_var"));
    const struct vgg_node *last = &graph.nodes[graph.count - 1];
    ck_assert_ptr_eq(last->linear.weight, fake_find(&net, "classifier.6.weight"));
    fake_fini(&net);
}
END_TEST

START_TEST(does_not_need_the_count_of_batches)
{
    struct fake_net net = {0};
    struct vgg_graph graph;
    fake_vgg(&net, "8 M 8 M", true, 5);
    build(&net, &graph);
    fake_remove(&net, "features.1.num_batches_tracked");
    fake_remove(&net, "features.5.num_batches_tracked");
    ck_assert_int_eq(bind(&net, &graph), VGG_OK);
    fake_add(&net, 0, 0, 0, 0, "features.0.num_batches_tracked"); /* of a convolution? */
    ck_assert_int_eq(bind(&net, &graph), VGG_ERR_MISMATCH);
    ck_assert_str_eq(net.err.message,
                     "x.pth: features.0.num_batches_tracked: unexpected, found [] (for vgg11_bn)");
    fake_fini(&net);
}
END_TEST

START_TEST(tells_one_problem_shortly)
{
    struct fake_net net = {0};
    struct vgg_graph graph;
    fake_vgg(&net, "8 M 8 M", false, 5);
    build(&net, &graph);
    fake_find(&net, "features.3.weight")->shape[1] = 1;
    ck_assert_int_eq(bind(&net, &graph), VGG_ERR_MISMATCH);
    ck_assert_str_eq(net.err.message, "x.pth: features.3.weight: expected [8,8,3,3], got [8,1,3,3] "
                                      "(for vgg11_bn)");
    fake_fini(&net);
}
END_TEST

START_TEST(lists_all_problems_at_once)
{
    struct fake_net net = {0};
    struct vgg_graph graph;
    fake_vgg(&net, A, true, 1000);
    build(&net, &graph);
    fake_remove(&net, "features.1.running_mean");
    fake_remove(&net, "classifier.6.bias");
    fake_find(&net, "features.4.bias")->shape[0] = 7;
    fake_find(&net, "features.8.weight")->dtype = VGG_DTYPE_I32;
    fake_find(&net, "features.11.bias")->ndim = 0;
    fake_add(&net, 2, 3, 0, 0, "fc.weight");
    fake_add(&net, 2, 0, 0, 0, "features.0.weight_g");
    ck_assert_int_eq(bind(&net, &graph), VGG_ERR_MISMATCH);
    ck_assert_str_eq(net.err.message,
                     "x.pth: the tensors do not fit vgg11_bn: 2 missing, 2 unexpected, 3 "
                     "mismatched: features.1.running_mean: missing, expected [64]; "
                     "features.4.bias: expected [128], got [7]; features.8.weight: expected "
                     "floating-point numbers, got int32; features.11.bias: expected [256], got []; "
                     "classifier.6.bias: missing, expected [1000]; fc.weight: unexpected, found "
                     "[2,3]; features.0.weight_g: unexpected, found [2]");
    fake_fini(&net);
}
END_TEST

START_TEST(counts_what_the_message_cannot_hold)
{
    enum { MANY = 3000 };
    static struct vgg_tensor extra[MANY];
    static char names[MANY][32];
    static const struct vgg_tensor *tensors[MANY];
    struct fake_net net = {0};
    struct vgg_graph graph;
    struct vgg_tensor_list list;
    fake_vgg(&net, "8 M", false, 5);
    build(&net, &graph);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "extra.%d.weight", i);
        extra[i] = (struct vgg_tensor){.name = names[i], .ndim = 1, .shape = {1}};
        tensors[i] = &extra[i];
    }
    ck_assert_int_eq(vgg_tensor_list_init(&list, &net.arena, tensors, MANY, &net.err), VGG_OK);
    ck_assert_int_eq(vgg_graph_bind("x.pth", "a net", &list, &graph, &net.err), VGG_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(net.err.message, "8 missing, 3000 unexpected, 0 mismatched"));
    ck_assert_ptr_nonnull(strstr(net.err.message, " more"));
    fake_fini(&net);
}
END_TEST

/* BatchNorm without statistics, as track_running_stats=False saves it. */
START_TEST(says_that_statistics_are_missing)
{
    struct fake_net net = {0};
    struct vgg_graph graph;
    fake_vgg(&net, "8 M", false, 5);
    build(&net, &graph);
    fake_add(&net, 8, 0, 0, 0, "features.1.weight");
    fake_add(&net, 8, 0, 0, 0, "features.1.bias");
    ck_assert_int_eq(bind(&net, &graph), VGG_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(net.err.message,
                                 "features.1.weight: unexpected, found [8] of a normalisation "
                                 "without running_mean and running_var"));
    fake_fini(&net);
}
END_TEST

START_TEST(refuses_a_classifier_of_nan)
{
    static float weights[16 * 392];
    static double wide[16];
    struct fake_net net = {0};
    struct vgg_graph graph;
    fake_features(&net, "8 M", false);
    fake_linear(&net, 0, 392, 16);
    build(&net, &graph);
    struct vgg_tensor *weight = fake_find(&net, "classifier.0.weight");
    struct vgg_tensor *bias = fake_find(&net, "classifier.0.bias");
    weight->data = weights; /* column-major, so that the strides matter */
    weight->stride[0] = 1;
    weight->stride[1] = 16;
    bias->data = wide;
    bias->dtype = VGG_DTYPE_F64;
    bias->stride[0] = 1;
    ck_assert_int_eq(bind(&net, &graph), VGG_OK);
    ck_assert_int_eq(vgg_graph_check_numbers("x.pth", &graph, false, &net.err), VGG_OK);
    wide[15] = (double)NAN;
    ck_assert_int_eq(vgg_graph_check_numbers("x.pth", &graph, false, &net.err),
                     VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(net.err.message, "classifier.0.bias: classifier holds NaN: these "
                                                  "are feature-extraction weights"));
    wide[15] = 0;
    weights[16 * 392 - 1] = NAN; /* the last one */
    ck_assert_int_eq(vgg_graph_check_numbers("x.pth", &graph, false, &net.err),
                     VGG_ERR_UNSUPPORTED);
    weights[16 * 392 - 1] = 0;
    weights[0] = NAN;
    ck_assert_int_eq(vgg_graph_check_numbers("x.pth", &graph, false, &net.err),
                     VGG_ERR_UNSUPPORTED);
    fake_fini(&net);
}
END_TEST

UNIT_MAIN("bind", points_each_node_to_its_weights, does_not_need_the_count_of_batches,
          tells_one_problem_shortly, lists_all_problems_at_once,
          counts_what_the_message_cannot_hold, refuses_a_classifier_of_nan,
          says_that_statistics_are_missing)
