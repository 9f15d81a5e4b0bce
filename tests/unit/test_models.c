/* SPDX-License-Identifier: MIT */
/* models/: every built-in description is right, by what torchvision publishes. */
#include "fake_net.h"

#include "model/graph/bind.h"
#include "model/spec/builtin.h"
#include "model/spec/defaults.h"
#include "model/spec/layers.h"
#include "spec_text.h"

static const struct {
    const char *name, *config;
    int64_t parameters; /* torchvision's meta["num_params"] */
    double acc1;
    const char *sha256;
} published[] = {
    {"vgg11", A, 132863336, 69.020, "8a719046"},    {"vgg13", B, 133047848, 69.928, "19584684"},
    {"vgg16", D, 138357544, 71.592, "397923af"},    {"vgg19", E, 143667240, 72.376, "dcbb9e9d"},
    {"vgg11_bn", A, 132868840, 70.370, "6002323d"}, {"vgg13_bn", B, 133053736, 71.586, "abd245e5"},
    {"vgg16_bn", D, 138365992, 73.360, "6c64b313"}, {"vgg19_bn", E, 143678248, 74.218, "c79401a0"},
};
enum { PUBLISHED = sizeof published / sizeof published[0] };

static void parse(struct fake_net *net, const char *name, struct vgg_spec *spec)
{
    char file_name[64];
    snprintf(file_name, sizeof file_name, "%s.json", name);
    const struct vgg_builtin *file = vgg_builtin_find(file_name);
    ck_assert_ptr_nonnull(file);
    vgg_limits_init(&net->limits);
    vgg_status status = vgg_spec_parse(FAKE_LOAD(net, file->name), file->data, file->size, spec);
    ck_assert_msg(status == VGG_OK, "%s", net->err.message);
    ck_assert_str_eq(spec->name, name);
}

/* Learned numbers: the running statistics are none. */
static int64_t count_parameters(const struct vgg_graph *graph)
{
    int64_t total = 0;
    for (size_t i = 0; i < graph->parameter_count; i++) {
        const struct vgg_parameter *parameter = &graph->parameters[i];
        int64_t count = 1;
        for (int d = 0; d < parameter->ndim; d++) {
            count *= parameter->shape[d];
        }
        total += strstr(parameter->name, ".running_") == NULL ? count : 0;
    }
    return total;
}

START_TEST(agrees_with_what_is_published)
{
    for (size_t i = 0; i < PUBLISHED; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        struct vgg_graph graph;
        char file[64];
        parse(&net, published[i].name, &spec);
        ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(&net, "x"), &spec, &graph), VGG_OK);
        ck_assert_int_eq(count_parameters(&graph), published[i].parameters);
        ck_assert_double_eq(spec.acc1, published[i].acc1);
        ck_assert_double_gt(spec.acc5, spec.acc1);
        ck_assert_int_eq(strncmp(spec.sha256, published[i].sha256, 8), 0);
        snprintf(file, sizeof file, "%s-%s.pth", published[i].name, published[i].sha256);
        ck_assert_str_eq(spec.file, file);
        ck_assert_str_eq(spec.preprocess.name, "imagenet");
        ck_assert_int_eq(spec.input.h, 224);
        ck_assert_int_eq(spec.input.w, 224);
        ck_assert_int_eq(vgg_spec_natural_input(&spec).h, 224);
        ck_assert_uint_eq(spec.labels.count, 1000);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(agrees_with_names_and_shapes)
{
    for (size_t i = 0; i < PUBLISHED; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec, inferred;
        struct vgg_graph graph;
        parse(&net, published[i].name, &spec);
        fake_vgg(&net, published[i].config, strstr(published[i].name, "_bn") != NULL, 1000);
        ck_assert_int_eq(fake_infer(&net, NULL, &inferred), VGG_OK);
        ck_assert_uint_eq(spec.layer_count, inferred.layer_count);
        for (size_t l = 0; l < spec.layer_count; l++) {
            ck_assert(vgg_layer_equals(&spec.layers[l], &inferred.layers[l]));
            ck_assert_str_eq(spec.layers[l].name, inferred.layers[l].name);
        }
        ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(&net, "x"), &spec, &graph), VGG_OK);
        ck_assert_int_eq(vgg_graph_bind("x", spec.name, &net.list, &graph, &net.err), VGG_OK);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(describes_the_bundled_net)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    parse(&net, "fashion_vgg8_bn", &spec);
    ck_assert_str_eq(spec_text(&spec), "32 b r 32 b r M 64 b r 64 b r M 96 b r 96 b r avg7 | 128 r "
                                       "D 128 r D 10");
    ck_assert_int_eq(spec.input.h, 28);
    ck_assert_int_eq(vgg_spec_natural_input(&spec).h, 28);
    ck_assert_int_eq(spec.preprocess.resize, 28);
    ck_assert_int_eq(spec.preprocess.crop, 28);
    ck_assert(spec.preprocess.mean[2] == 0.2860f);
    ck_assert(spec.preprocess.std[0] == 0.3530f);
    ck_assert_str_eq(spec.labels.names[0], "T-shirt/top");
    ck_assert_uint_eq(spec.labels.count, 10);
    fake_fini(&net);
}
END_TEST

START_TEST(finds_only_what_there_is)
{
    ck_assert_ptr_nonnull(vgg_builtin_find("imagenet_labels.txt"));
    ck_assert_ptr_null(vgg_builtin_find("vgg12.json"));
}
END_TEST

UNIT_MAIN("models", agrees_with_what_is_published, agrees_with_names_and_shapes,
          describes_the_bundled_net, finds_only_what_there_is)
