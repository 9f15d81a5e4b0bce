/* SPDX-License-Identifier: MIT */
/* model/graph/build and graph: the chain of nodes, their names and shapes. */
#include "fake_net.h"

#include "model/graph/bind.h"
#include "model/graph/filter_head.h"
#include "model/graph/make_dense.h"

/* The nodes of a made-up net. */
static struct vgg_graph build(struct fake_net *net)
{
    struct vgg_spec spec;
    struct vgg_graph graph;
    ck_assert_int_eq(fake_infer(net, NULL, &spec), VGG_OK);
    ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(net, "x.pth"), &spec, &graph), VGG_OK);
    return graph;
}

/* Walks an image of height x width through the nodes, up to the one named last. */
static vgg_status walk(struct fake_net *net, const struct vgg_graph *graph, int height, int width,
                       const char *last, struct vgg_shape *shape)
{
    *shape = (struct vgg_shape){.c = 3, .h = height, .w = width};
    for (size_t i = 0; i < graph->count; i++) {
        vgg_status status =
            vgg_node_infer_shape(&graph->nodes[i], *shape, shape, "x.pth", &net->err);
        if (status != VGG_OK || strcmp(graph->nodes[i].name, last) == 0) {
            return status;
        }
    }
    return VGG_OK;
}

START_TEST(names_nodes_as_torchvision_does)
{
    static const char expected[] =
        "features.0 Conv2d, features.1 BatchNorm2d, features.2 ReLU, features.3 MaxPool2d, "
        "features.4 Conv2d, features.5 BatchNorm2d, features.6 ReLU, features.7 MaxPool2d, "
        "avgpool AdaptiveAvgPool2d, flatten Flatten, classifier.0 Linear, classifier.1 ReLU, "
        "classifier.2 Dropout, classifier.3 Linear, classifier.4 ReLU, classifier.5 Dropout, "
        "classifier.6 Linear, ";
    struct fake_net net = {0};
    struct vgg_text text = {0};
    fake_vgg(&net, "8 M 8 M", true, 5);
    struct vgg_graph graph = build(&net);
    for (size_t i = 0; i < graph.count; i++) {
        vgg_text_add(&text, "%s %s, ", graph.nodes[i].name, vgg_node_type(&graph.nodes[i]));
    }
    ck_assert_str_eq(text.buffer, expected);
    fake_fini(&net);
}
END_TEST

START_TEST(fills_a_classifier_that_begins_with_dropout)
{
    struct fake_net net = {0};
    fake_features(&net, "8 M", false);
    fake_linear(&net, 1, 8, 16);
    fake_linear(&net, 4, 16, 16);
    fake_linear(&net, 6, 16, 5);
    struct vgg_graph graph = build(&net);
    static const enum vgg_op ops[] = {VGG_OP_DROPOUT, VGG_OP_LINEAR, VGG_OP_RELU,  VGG_OP_DROPOUT,
                                      VGG_OP_LINEAR,  VGG_OP_RELU,   VGG_OP_LINEAR};
    ck_assert_uint_eq(graph.count, 5 + 7);
    for (size_t i = 0; i < 7; i++) {
        ck_assert_int_eq(graph.nodes[5 + i].op, ops[i]);
    }
    fake_fini(&net);
}
END_TEST

START_TEST(refuses_a_classifier_it_cannot_fill)
{
    static const struct {
        int indices[2];
        const char *message;
    } wrong[] = {
        {{4, 7},
         "x.pth: expected at most a pool, Flatten and Dropout before the linear layer "
         "classifier.4, found numbers for 4 modules"},
        {{0, 4},
         "x.pth: expected ReLU and at most Dropout before the linear layer classifier.4, found "
         "numbers for 3 modules"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        fake_features(&net, "8 M", false);
        fake_linear(&net, wrong[i].indices[0], 8, 16);
        fake_linear(&net, wrong[i].indices[1], 16, 5);
        ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_ERR_UNSUPPORTED);
        ck_assert_str_eq(net.err.message, wrong[i].message);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(infers_shapes)
{
    static const struct {
        int height, width;
        const char *node;
        struct vgg_shape shape;
    } cases[] = {
        {224, 224, "features.0", {64, 224, 224}}, {224, 224, "features.30", {512, 7, 7}},
        {225, 255, "features.4", {64, 112, 127}}, {32, 32, "features.30", {512, 1, 1}},
        {32, 32, "avgpool", {512, 7, 7}},         {321, 480, "features.30", {512, 10, 15}},
        {321, 480, "avgpool", {512, 7, 7}},       {63, 32, "flatten", {25088, 1, 1}},
        {224, 224, "classifier.5", {4096, 1, 1}}, {224, 224, "classifier.6", {10, 1, 1}},
    };
    struct fake_net net = {0};
    fake_vgg(&net, D, false, 10);
    struct vgg_graph graph = build(&net);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vgg_shape shape;
        ck_assert_int_eq(walk(&net, &graph, cases[i].height, cases[i].width, cases[i].node, &shape),
                         VGG_OK);
        ck_assert_int_eq(shape.c, cases[i].shape.c);
        ck_assert_int_eq(shape.h, cases[i].shape.h);
        ck_assert_int_eq(shape.w, cases[i].shape.w);
    }
    fake_fini(&net);
}
END_TEST

START_TEST(refuses_inputs_that_do_not_fit)
{
    struct fake_net net = {0};
    struct vgg_shape shape;
    fake_vgg(&net, D, false, 10);
    struct vgg_graph graph = build(&net);
    ck_assert_int_eq(walk(&net, &graph, 224, 31, "avgpool", &shape), VGG_ERR_MISMATCH);
    ck_assert_str_eq(net.err.message,
                     "x.pth: features.30 (MaxPool2d): expected an input of at least 2x2 pixels, "
                     "found 14x1: the image is too small for this net");
    ck_assert_int_eq(walk(&net, &graph, 0, 224, "avgpool", &shape), VGG_ERR_MISMATCH);
    struct vgg_shape gray = {.c = 1, .h = 224, .w = 224};
    ck_assert_int_eq(vgg_node_infer_shape(&graph.nodes[0], gray, &shape, "x.pth", &net.err),
                     VGG_ERR_MISMATCH);
    ck_assert_str_eq(net.err.message,
                     "x.pth: features.0: expected an input of 3 channels, found 1x224x224");
    struct vgg_shape image = {.c = 25088, .h = 2, .w = 1};
    const struct vgg_node *linear = &graph.nodes[graph.count - 1];
    ck_assert_int_eq(vgg_node_infer_shape(linear, image, &shape, "x.pth", &net.err),
                     VGG_ERR_MISMATCH);
    fake_fini(&net);
}
END_TEST

START_TEST(averages_no_features_that_a_filter_moves_over)
{
    const struct vgg_node pool = {.op = VGG_OP_ADAPTIVE_AVG_POOL,
                                  .name = "avgpool",
                                  .adaptive_pool = {.oh = 7, .ow = 7, .only_enlarges = true}};
    const struct vgg_shape smaller = {5, 2, 7}, larger = {5, 7, 8};
    struct vgg_graph graph = {.nodes = (struct vgg_node *)&pool, .count = 1};
    struct vgg_error err = {0};
    struct vgg_shape shape;
    ck_assert_int_eq(vgg_node_infer_shape(&pool, smaller, &shape, "x.pth", &err), VGG_OK);
    ck_assert(shape.h == 7 && shape.w == 7 && !vgg_graph_exceeds_filters(&graph, smaller));
    ck_assert_int_eq(vgg_node_infer_shape(&pool, larger, &shape, "x.pth", &err), VGG_ERR_MISMATCH);
    ck_assert_ptr_nonnull(
        strstr(err.message, "x.pth: avgpool: expected at most 7x7 pixels, found 7x8"));
    ck_assert(vgg_graph_exceeds_filters(&graph, larger));
}
END_TEST

START_TEST(infers_other_windows_and_survives_huge_sizes)
{
    struct vgg_error err = {0};
    struct vgg_shape shape, huge = {.c = 3, .h = INT32_MAX, .w = INT32_MAX};
    struct vgg_node conv = {.op = VGG_OP_CONV2D,
                            .name = "features.0",
                            .conv = {.ic = 3, .oc = 8, .kernel = 11, .stride = 4, .padding = 2}};
    struct vgg_node pool = {
        .op = VGG_OP_MAX_POOL, .name = "features.2", .max_pool = {.kernel = 3, .stride = 2}};
    struct vgg_node flatten = {.op = VGG_OP_FLATTEN, .name = "flatten"};
    struct vgg_shape in = {.c = 3, .h = 224, .w = 224};
    ck_assert_int_eq(vgg_node_infer_shape(&conv, in, &shape, "x", &err), VGG_OK);
    ck_assert_int_eq(shape.h, 55);
    ck_assert_int_eq(vgg_node_infer_shape(&pool, shape, &shape, "x", &err), VGG_OK);
    ck_assert_int_eq(shape.w, 27);
    ck_assert_int_eq(vgg_node_infer_shape(&flatten, huge, &shape, "x", &err), VGG_ERR_MISMATCH);
    conv.conv.stride = 1;
    conv.conv.kernel = 1;
    ck_assert_int_eq(vgg_node_infer_shape(&conv, huge, &shape, "x", &err), VGG_ERR_MISMATCH);
}
END_TEST

/* Layers by a letter each; S has slopes for each of several channels. */
static enum vgg_op get_op(char letter)
{
    static const struct {
        char letter;
        enum vgg_op op;
    } ops[] = {{'P', VGG_OP_ADAPTIVE_AVG_POOL},
               {'F', VGG_OP_FLATTEN},
               {'L', VGG_OP_LINEAR},
               {'N', VGG_OP_BATCH_NORM},
               {'S', VGG_OP_ACTIVATION},
               {'R', VGG_OP_RELU},
               {'D', VGG_OP_DROPOUT},
               {'G', VGG_OP_GENERAL_POOL},
               {'Z', VGG_OP_ZERO_PAD},
               {'M', VGG_OP_MAX_POOL},
               {'X', VGG_OP_SOFTMAX},
               {'A', VGG_OP_ADAPTIVE_MAX_POOL},
               {'C', VGG_OP_CONCAT_POOL}};
    size_t i = 0;
    while (ops[i].letter != letter) {
        i++;
    }
    return ops[i].op;
}

static vgg_status make_dense(const char *letters, struct vgg_error *err)
{
    static const struct vgg_tensor slopes = {.name = "slopes", .ndim = 1, .shape = {4}};
    struct vgg_arena arena = {0};
    struct vgg_node nodes[8] = {0};
    struct vgg_graph graph = {.nodes = nodes};
    for (; letters[graph.count] != '\0'; graph.count++) {
        struct vgg_node *node = &nodes[graph.count];
        node->op = get_op(letters[graph.count]);
        node->name = "layer";
        if (node->op == VGG_OP_ADAPTIVE_AVG_POOL) {
            node->adaptive_pool = (struct vgg_adaptive_pool){.oh = 2, .ow = 2};
        } else if (node->op == VGG_OP_ACTIVATION) {
            node->activation.slopes = &slopes;
        } else if (node->op == VGG_OP_LINEAR) {
            node->linear = (struct vgg_linear){.in_features = 16, .out_features = 4};
        }
    }
    const vgg_status status = vgg_graph_make_dense("x.pth", &graph, &arena, err);
    vgg_arena_destroy(&arena);
    return status;
}

START_TEST(makes_dense_only_what_can_move)
{
    static const char *const good[] = {"RPFLRL", "GNZPFLN", "SPSNFDL", "PFRLSF"};
    static const char *const bad[] = {"RFL",  "PL",   "PPFL", "PMFL", "PFNL",
                                      "PFSL", "PFLX", "AFL",  "CFL"};
    struct vgg_error err = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(make_dense(good[i], &err) == VGG_OK, "%s: %s", good[i], err.message);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(make_dense(bad[i], &err) == VGG_ERR_UNSUPPORTED, "%s", bad[i]);
        ck_assert_msg(strstr(err.message, "x.pth: layer (") == err.message, "%s", err.message);
    }
}
END_TEST

UNIT_MAIN("graph", names_nodes_as_torchvision_does, fills_a_classifier_that_begins_with_dropout,
          refuses_a_classifier_it_cannot_fill, infers_shapes, refuses_inputs_that_do_not_fit,
          averages_no_features_that_a_filter_moves_over,
          infers_other_windows_and_survives_huge_sizes, makes_dense_only_what_can_move)
