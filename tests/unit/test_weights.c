/* SPDX-License-Identifier: MIT */
/* model/graph/check_weights: what a net's weights must not be. */
#include "fake_net.h"

#include <math.h>

#include "model/graph/bind.h"
#include "model/graph/check_weights.h"

static struct fake_net net;
static struct vgg_graph graph;

/* A net of 8 channels with BatchNorm and 5 classes, all of whose elements are one float. */
static void begin(void)
{
    struct vgg_spec spec;
    net = (struct fake_net){0};
    fake_features(&net, "8 M", true);
    fake_linear(&net, 0, 8, 5);
    ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
    ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(&net, "x"), &spec, &graph), VGG_OK);
    ck_assert_int_eq(vgg_graph_bind("x", "net", fake_list(&net), &graph, &net.err), VGG_OK);
}

/* Gives a tensor elements of its own: [count] zeros, to be freed. */
static float *fill(const char *name, size_t count, int64_t a, int64_t b, int64_t c, int64_t d)
{
    struct vgg_tensor *tensor = fake_find(&net, name);
    const int64_t stride[4] = {a, b, c, d};
    float *data = calloc(count, sizeof *data);
    ck_assert_ptr_nonnull(data);
    memcpy(tensor->stride, stride, sizeof stride);
    tensor->data = data;
    return data;
}

static void refuse_numbers(bool all, const char *reason)
{
    net.err.message[0] = '\0';
    ck_assert_int_eq(vgg_graph_check_numbers("x", &graph, all, &net.err), VGG_ERR_UNSUPPORTED);
    ck_assert_msg(strstr(net.err.message, reason) != NULL, "%s", net.err.message);
}

START_TEST(refuses_what_is_no_number)
{
    begin();
    float *weight = fill("features.0.weight", 216, 27, 9, 3, 1);
    float *variance = fill("features.1.running_var", 8, 1, 0, 0, 0);
    for (int all = 0; all < 2; all++) {
        ck_assert_int_eq(vgg_graph_check_numbers("x", &graph, all, &net.err), VGG_OK);
        weight[215] = NAN;
        refuse_numbers(all,
                       "x: features.0.weight: expected finite numbers, found NaN at element 215");
        weight[215] = -INFINITY;
        refuse_numbers(all, "expected finite numbers, found an infinity at element 215");
        weight[215] = -1;
        variance[7] = -0.5f;
        refuse_numbers(all,
                       "x: features.1.running_var: expected variances, found -0.5 at element 7");
        variance[7] = 0;
    }
    free(weight);
    free(variance);
    fake_fini(&net);
}
END_TEST

START_TEST(finds_one_among_many)
{
    enum { CLASSES = 5000 };
    struct vgg_spec spec;
    net = (struct fake_net){0};
    fake_features(&net, "8 M", false);
    fake_linear(&net, 0, 8, CLASSES);
    ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
    ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(&net, "x"), &spec, &graph), VGG_OK);
    ck_assert_int_eq(vgg_graph_bind("x", "net", fake_list(&net), &graph, &net.err), VGG_OK);
    for (int transposed = 0; transposed < 2; transposed++) {
        float *weight = fill("classifier.0.weight", CLASSES * 8, transposed ? 1 : 8,
                             transposed ? CLASSES : 1, 0, 0);
        weight[transposed ? 3 * CLASSES + 1234 : 1234 * 8 + 3] = INFINITY;
        ck_assert_int_eq(vgg_graph_check_numbers("x", &graph, false, &net.err), VGG_OK);
        refuse_numbers(true, "classifier.0.weight: expected finite numbers, found an infinity at "
                             "element 9875");
        free(weight);
    }
    fake_fini(&net);
}
END_TEST

START_TEST(bounds_repeated_weights)
{
    begin();
    /* 216 + 8 of the convolution, 4 * 8 of its BatchNorm, 40 + 5 of the classifier; one is there. */
    const uint64_t repeated = (216 + 8 + 32 + 45 - 1) * sizeof(float);
    net.limits.repeated_bytes = repeated;
    ck_assert_int_eq(vgg_graph_check_memory("x", &graph, &net.limits, &net.arena, &net.err),
                     VGG_OK);
    net.limits.repeated_bytes--;
    ck_assert_int_eq(vgg_graph_check_memory("x", &graph, &net.limits, &net.arena, &net.err),
                     VGG_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(net.err.message, "1204 bytes of weights (features.0.weight and "
                                                  "others) in 4 of the file: 1200 are repeated, "
                                                  "limit is 1199"));
    /* A tensor with elements of its own adds as much to both. */
    float *weight = fill("features.0.weight", 216, 27, 9, 3, 1);
    net.limits.repeated_bytes = repeated - 216 * sizeof(float);
    ck_assert_int_eq(vgg_graph_check_memory("x", &graph, &net.limits, &net.arena, &net.err),
                     VGG_OK);
    net.limits.repeated_bytes--;
    ck_assert_int_eq(vgg_graph_check_memory("x", &graph, &net.limits, &net.arena, &net.err),
                     VGG_ERR_LIMIT);
    free(weight);
    fake_fini(&net);
}
END_TEST

UNIT_MAIN("weights", refuses_what_is_no_number, finds_one_among_many, bounds_repeated_weights)
