/* SPDX-License-Identifier: MIT */
/* model/infer/infer and resolve: names and shapes to layers, and which description is taken. */
#include "fake_net.h"

#include "model/graph/bind.h"
#include "model/infer/resolve.h"
#include "spec_text.h"

static vgg_status infer(struct fake_net *net, struct vgg_spec *spec)
{
    return fake_infer(net, NULL, spec);
}

static vgg_status resolve_as(struct fake_net *net, const char *path, const char *cfg,
                             struct vgg_spec *spec)
{
    const struct vgg_request request = {.cfg = cfg};
    return vgg_spec_resolve(FAKE_LOAD(net, path), fake_list(net), &request, spec);
}

/* The same for images of a size that the caller gives. */
static vgg_status resolve_at(struct fake_net *net, int height, int width, struct vgg_spec *spec)
{
    const struct vgg_request request = {.overrides = {.height = height, .width = width}};
    return vgg_spec_resolve(FAKE_LOAD(net, "x.pth"), fake_list(net), &request, spec);
}

static vgg_status resolve(struct fake_net *net, const char *path, struct vgg_spec *spec)
{
    return resolve_as(net, path, NULL, spec);
}

/* The assumptions as "property value; …", in the order in which they were found. Valid until the next call. */
static const char *assumptions(const struct vgg_spec *spec)
{
    static struct vgg_text text;
    text = (struct vgg_text){0};
    for (size_t i = 0; i < spec->evidence.count; i++) {
        const struct vgg_evidence *evidence = &spec->evidence.items[i];
        if (evidence->source == VGG_EVIDENCE_CONVENTION) {
            vgg_text_add(&text, "%s%s %s", text.length > 0 ? "; " : "", evidence->property,
                         evidence->value);
        }
    }
    return text.buffer;
}

static const struct {
    const char *name, *config;
    bool batch_norm;
} variants[] = {
    {"vgg11", A, false},   {"vgg13", B, false},   {"vgg16", D, false},   {"vgg19", E, false},
    {"vgg11_bn", A, true}, {"vgg13_bn", B, true}, {"vgg16_bn", D, true}, {"vgg19_bn", E, true},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

START_TEST(recognises_every_variant)
{
    static const int class_counts[] = {1, 2, 10, 37, 100, 1000, 1001, 21843};
    for (size_t v = 0; v < VARIANTS; v++) {
        for (size_t c = 0; c < sizeof class_counts / sizeof class_counts[0]; c++) {
            struct fake_net net = {0};
            struct vgg_spec spec;
            fake_vgg(&net, variants[v].config, variants[v].batch_norm, class_counts[c]);
            ck_assert_int_eq(resolve(&net, "no/x.pth", &spec), VGG_OK);
            ck_assert_str_eq(spec.name, variants[v].name);
            char expected[64];
            snprintf(expected, sizeof expected, "names and shapes (built-in %s)", variants[v].name);
            ck_assert_str_eq(spec.source, expected);
            ck_assert_int_eq(vgg_spec_get_classes(&spec), class_counts[c]);
            ck_assert_uint_eq(spec.labels.count, class_counts[c] == 1000 ? 1000 : 0);
            ck_assert_int_eq(spec.input.h, 224);
            ck_assert_str_eq(spec.preprocess.name, "imagenet");
            fake_fini(&net);
        }
    }
}
END_TEST

START_TEST(finds_the_pools)
{
    static const struct {
        const char *config;
        bool batch_norm;
        const char *expected;
        int input;
    } nets[] = {
        {"64 64 64 M 128 128 128 M 256 256 256 M", false,
         "64 r 64 r 64 r M 128 r 128 r 128 r M 256 r 256 r 256 r avg7 | 4096 r D 4096 r D 10", 28},
        {"64 64 64 M 128 128 128 M 256 256 256 M", true,
         "64 b r 64 b r 64 b r M 128 b r 128 b r 128 b r M 256 b r 256 b r 256 b r avg7 | 4096 r "
         "D 4096 r D 10",
         28},
        {"64 M 128 M 256 M 512 M 512 512 M", false,
         "64 r M 128 r M 256 r M 512 r M 512 r 512 r M avg7 | 4096 r D 4096 r D 10", 224},
        {"8", false, "8 r M avg7 | 4096 r D 4096 r D 10", 14},
        {"8 M 8 M 8 8", true, "8 b r M 8 b r M 8 b r 8 b r avg7 | 4096 r D 4096 r D 10", 28},
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        fake_vgg(&net, nets[i].config, nets[i].batch_norm, 10);
        ck_assert_int_eq(infer(&net, &spec), VGG_OK);
        ck_assert_str_eq(spec_text(&spec), nets[i].expected);
        ck_assert_int_eq(spec.input.h, nets[i].input);
        ck_assert_ptr_null(spec.name);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(takes_the_average_pool_from_the_classifier)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    int channels =
        fake_features(&net, "32 32 M 64 64 128 128 128 M 256 256 256 512 512 512 M", false);
    fake_linear(&net, 0, channels * 16, 4096);
    fake_linear(&net, 3, 4096, 4096);
    fake_linear(&net, 6, 4096, 10);
    ck_assert_int_eq(resolve(&net, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "32 r 32 r M 64 r 64 r 128 r 128 r 128 r M 256 r 256 r 256 "
                                       "r 512 r 512 r 512 r M avg4 | 4096 r D 4096 r D 10");
    ck_assert_str_eq(spec.source, "names and shapes");
    ck_assert_int_eq(spec.input.h, 32);
    ck_assert_str_eq(spec.preprocess.name, "cifar");
    fake_find(&net, "classifier.0.weight")->shape[1]++;
    ck_assert_int_eq(infer(&net, &spec), VGG_ERR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(net.err.message, "classifier.0.weight: expected as in_features"));
    fake_fini(&net);
}
END_TEST

START_TEST(takes_other_classifiers)
{
    struct fake_net net = {0}, single = {0};
    struct vgg_spec spec;
    fake_features(&net, "8 M", false);
    fake_linear(&net, 0, 8, 16);
    fake_linear(&net, 2, 16, 16);
    fake_linear(&net, 4, 16, 5);
    fake_remove(&net, "features.0.bias");
    ck_assert_int_eq(infer(&net, &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8- r M avg1 | 16 r 16 r 5");
    fake_fini(&net);

    /* VGG16's convolutions with one linear layer, as for CIFAR: the name fits, the input does not. */
    fake_features(&single, D, true);
    fake_add(&single, 10, 512, 0, 0, "classifier.weight");
    fake_add(&single, 10, 0, 0, 0, "classifier.bias");
    ck_assert_int_eq(resolve(&single, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(spec.name, "vgg16_bn");
    ck_assert_str_eq(spec.source, "names and shapes");
    ck_assert_str_eq(spec.layers[spec.layer_count - 1].name, "classifier");
    ck_assert_int_eq(spec.input.h, 32);
    ck_assert_str_eq(spec.preprocess.name, "cifar");
    fake_fini(&single);
}
END_TEST

START_TEST(knows_one_by_one_convolutions)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    fake_vgg(&net, "8 M 8 8 M", false, 10);
    struct vgg_tensor *weight = fake_find(&net, "features.5.weight");
    weight->shape[2] = weight->shape[3] = 1;
    ck_assert_int_eq(infer(&net, &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 r M 8 r 8/1 r M avg7 | 4096 r D 4096 r D 10");
    ck_assert_int_eq(spec_find(&spec, VGG_LAYER_CONV, 2)->conv.window.padding.top, 0);
    ck_assert_ptr_nonnull(strstr(assumptions(&spec), "; padding of 1x1 convolutions 0; "));
    fake_fini(&net);
}
END_TEST

START_TEST(takes_other_kernels)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    fake_vgg(&net, "8 M 8 8 M", false, 10);
    struct vgg_tensor *weight = fake_find(&net, "features.5.weight");
    weight->shape[2] = 1;
    ck_assert_int_eq(infer(&net, &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 r M 8 r 8/1x3 r M avg7 | 4096 r D 4096 r D 10");
    ck_assert_int_eq(spec_find(&spec, VGG_LAYER_CONV, 2)->conv.window.padding.top, 0);
    ck_assert_int_eq(spec_find(&spec, VGG_LAYER_CONV, 2)->conv.window.padding.left, 1);
    weight->shape[2] = weight->shape[3] = 11;
    ck_assert_int_eq(infer(&net, &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 r M 8 r 8/11 r M avg7 | 4096 r D 4096 r D 10");
    ck_assert_int_eq(spec_find(&spec, VGG_LAYER_CONV, 2)->conv.window.padding.top, 5);
    fake_fini(&net);
}
END_TEST

START_TEST(says_what_is_no_vgg)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    vgg_limits_init(&net.limits);
    ck_assert_int_eq(infer(&net, &spec), VGG_ERR_FORMAT);
    fake_add(&net, 64, 3, 7, 0, "conv1.weight"); /* no convolution of images */
    fake_add(&net, 64, 0, 0, 0, "bn1.weight");
    fake_add(&net, 1, 0, 0, 0, "features.0.weight");
    ck_assert_int_eq(infer(&net, &spec), VGG_ERR_FORMAT);
    ck_assert_str_eq(net.err.message,
                     "x.pth: no VGG to be seen in this checkpoint: it has no features.N.weight "
                     "convolution; first tensors: conv1.weight [64,3,7], bn1.weight [64], "
                     "features.0.weight [1]");
    /* A convolution, and two lists of numbers of which the first may be slopes, but not both. */
    net.tensors[0].ndim = 4;
    net.tensors[0].shape[3] = 7;
    ck_assert_int_eq(infer(&net, &spec), VGG_ERR_UNSUPPORTED);
    ck_assert_str_eq(net.err.message,
                     "x.pth: bn1.weight: expected the slopes of a PReLU, one or one for each "
                     "channel of the layer before it, found [64]");
    fake_fini(&net);
}
END_TEST

START_TEST(refuses_what_names_cannot_tell)
{
    struct fake_net gap = {0}, none = {0}, caffe = {0}, huge = {0};
    struct vgg_spec spec;
    fake_vgg(&gap, "8 M M M 8", false, 10);
    ck_assert_int_eq(infer(&gap, &spec), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(gap.err.message, "between the convolutions features.0 and "
                                                  "features.5, got 4 modules"));
    fake_fini(&gap);

    fake_features(&none, D, false);
    ck_assert_int_eq(resolve(&none, "x.pth", &spec), VGG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(none.err.message, "found convolutions alone (features.0.weight … "
                                                   "features.28.weight): features without"));
    fake_fini(&none);

    fake_features(&caffe, D, false);
    fake_linear(&caffe, 1, 25088, 4096);
    fake_linear(&caffe, 4, 4096, 4096);
    fake_linear(&caffe, 6, 4096, 1000);
    ck_assert_int_eq(resolve(&caffe, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(spec.name, "vgg16");
    ck_assert_str_eq(spec.preprocess.name, "caffe");
    ck_assert(spec.preprocess.bgr && spec.preprocess.unscaled);
    fake_fini(&caffe);

    fake_vgg(&huge, "8", false, 10);
    fake_find(&huge, "features.0.weight")->shape[0] = INT64_MAX;
    ck_assert_int_eq(infer(&huge, &spec), VGG_ERR_LIMIT);
    fake_find(&huge, "features.0.weight")->shape[0] = 0;
    ck_assert_int_eq(infer(&huge, &spec), VGG_ERR_LIMIT);
    huge.limits.layers = 0;
    ck_assert_int_eq(infer(&huge, &spec), VGG_ERR_LIMIT);
    fake_fini(&huge);
}
END_TEST

START_TEST(falls_back_to_the_closest_variant)
{
    static const char *const lost[] = {"features.0.weight", "features.10.weight",
                                       "classifier.3.weight", "classifier.0.weight"};
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        fake_vgg(&net, D, false, 10);
        fake_remove(&net, lost[i]);
        ck_assert_int_eq(resolve(&net, "x.pth", &spec), VGG_OK);
        ck_assert_str_eq(spec.name, "vgg16");
        ck_assert_int_eq(vgg_spec_get_classes(&spec), 10);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(applies_a_net_without_last_pool_by_its_name_only)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    int channels = fake_features(&net, "32 32 M 64 64 M 96 96", true);
    fake_linear(&net, 0, channels * 49, 128);
    fake_linear(&net, 3, 128, 128);
    fake_linear(&net, 6, 128, 10);
    ck_assert_int_eq(resolve(&net, "elsewhere/fashion_vgg8_bn.pth", &spec), VGG_OK);
    ck_assert_str_eq(spec.name, "fashion_vgg8_bn");
    ck_assert_str_eq(spec_text(&spec), "32 b r 32 b r M 64 b r 64 b r M 96 b r 96 b r avg7 | 128 r "
                                       "D 128 r D 10");
    ck_assert_int_eq(spec.input.h, 28);
    ck_assert_str_eq(spec.labels.names[9], "Ankle boot");
    ck_assert_int_eq(resolve(&net, "other.pth", &spec), VGG_OK);
    ck_assert_ptr_null(spec.name);
    ck_assert_str_eq(spec.source, "names and shapes");
    fake_fini(&net);
}
END_TEST

START_TEST(says_what_it_assumes)
{
    struct fake_net net = {0}, builtin = {0};
    struct vgg_spec spec;
    fake_vgg(&net, "8 8 M 8", true, 10);
    fake_find(&net, "features.3.weight")->shape[2] = 1;
    fake_find(&net, "features.3.weight")->shape[3] = 1;
    ck_assert_int_eq(resolve(&net, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(assumptions(&spec),
                     "stride 1; dilation 1; padding 1; padding of 1x1 convolutions 0; square "
                     "convolutions Conv2d, not ConvTranspose2d; eps 1e-05; activation ReLU; "
                     "pool MaxPool2d 2x2; places of pools where the numbers leave a place; "
                     "last pool one after features.7; flatten channels, height, width; "
                     "input size 28x28; logits the last layer's output, unchanged; scores softmax");
    ck_assert_int_eq(vgg_evidence_find(&spec.evidence, "layers")->source, VGG_EVIDENCE_SHAPES);
    ck_assert_int_eq(vgg_evidence_find(&spec.evidence, "order")->source, VGG_EVIDENCE_SHAPES);
    fake_fini(&net);

    fake_vgg(&builtin, D, true, 1000);
    ck_assert_int_eq(resolve(&builtin, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(assumptions(&spec), "");
    fake_fini(&builtin);
}
END_TEST

START_TEST(takes_a_cfg)
{
    static const struct {
        const char *config; /* of the checkpoint: M is any module without weights */
        const char *cfg, *expected;
        const char *dropout;
    } nets[] = {
        {"8 8 M 16", "8,8,M,16", "8 r 8 r M 16 r avg7 | 4096 r D 4096 r D 10", NULL},
        {"8 8 M 16", "8,8,M,16,M", "8 r 8 r M 16 r M avg7 | 4096 r D 4096 r D 10", NULL},
        {"8 8 M 16", "[8, 8, 'D', 16, 'M', 'M']", "8 r 8 r D 16 r M M avg7 | 4096 r D 4096 r D 10",
         NULL},
        {"8 8 M M 16", "8 8 M D 16 M", "8 r 8 r M D 16 r M avg7 | 4096 r D 4096 r D 10", NULL},
        {"8 8 M M 16", "8,8,M,16", "8 r 8 r M D 16 r avg7 | 4096 r D 4096 r D 10",
         "where cfg has nothing, before features.6"},
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        fake_vgg(&net, nets[i].config, false, 10);
        ck_assert_msg(fake_infer(&net, nets[i].cfg, &spec) == VGG_OK, "%s", net.err.message);
        ck_assert_str_eq(spec_text(&spec), nets[i].expected);
        const struct vgg_evidence *dropout = vgg_evidence_find(&spec.evidence, "Dropout");
        ck_assert_pstr_eq(dropout != NULL ? dropout->value : NULL, nets[i].dropout);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(refuses_a_cfg_that_does_not_fit)
{
    static const struct {
        const char *cfg, *message;
    } wrong[] = {
        {"8,8,M", "x.pth: expected 2 convolutions as cfg has, found 3: features.0.weight … "
                  "features.5.weight"},
        {"8,8,M,32", "x.pth: features.5.weight: expected 32 output channels, entry 4 of cfg, found "
                     "[16,8,3,3]"},
        {"8,M,8,M,16", "x.pth: cfg has 2 modules between features.0 and features.2, but their "
                       "numbers leave 1"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec;
        fake_vgg(&net, "8 8 M 16", false, 10);
        ck_assert_int_eq(fake_infer(&net, wrong[i].cfg, &spec), VGG_ERR_MISMATCH);
        ck_assert_str_eq(net.err.message, wrong[i].message);
        fake_fini(&net);
    }
}
END_TEST

/* A cfg that says everything makes a built-in name only of the same net. */
START_TEST(compares_the_last_pool_of_a_cfg)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    fake_vgg(&net, "64 M 128 M 256 256 M 512 512 M 512 512", false, 10);
    ck_assert_int_eq(resolve_as(&net, "x.pth", "64,M,128,M,256,256,M,512,512,M,512,512,M", &spec),
                     VGG_OK);
    ck_assert_str_eq(spec.name, "vgg11");
    ck_assert_int_eq(resolve_as(&net, "x.pth", "64,M,128,M,256,256,M,512,512,M,512,512", &spec),
                     VGG_OK);
    ck_assert_ptr_null(spec.name);
    ck_assert_str_eq(spec.source, "cfg, names and shapes");
    ck_assert_int_eq(spec.input.h, 112);
    fake_fini(&net);
}
END_TEST

/* Renames "features.…" and "classifier.…". */
static void rename_parts(struct fake_net *net, const char *features, const char *classifier)
{
    for (size_t i = 0; i < net->count; i++) {
        char old[64];
        strcpy(old, net->names[i]);
        const char *point = strchr(old, '.');
        snprintf(net->names[i], sizeof net->names[i], "%s%s", old[0] == 'f' ? features : classifier,
                 point);
    }
}

START_TEST(knows_other_names)
{
    struct fake_net net = {0}, one = {0};
    struct vgg_spec spec;
    struct vgg_graph graph;
    fake_vgg(&net, D, true, 1000);
    rename_parts(&net, "encoder.conv_layers", "fc");
    ck_assert_int_eq(resolve(&net, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(spec.name, "vgg16_bn");
    ck_assert_int_eq(vgg_graph_build(FAKE_LOAD(&net, "x.pth"), &spec, &graph), VGG_OK);
    ck_assert_int_eq(vgg_graph_bind("x.pth", "net", &net.list, &graph, &net.err), VGG_OK);
    ck_assert_str_eq(graph.nodes[0].name, "encoder.conv_layers.0");
    ck_assert_str_eq(graph.nodes[graph.count - 1].name, "fc.6");
    fake_fini(&net);

    /* A single linear layer may have any name. */
    fake_features(&one, "8 M", false);
    fake_add(&one, 10, 8, 0, 0, "head.weight");
    ck_assert_int_eq(resolve(&one, "x.pth", &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 r M avg1 | 10-");
    ck_assert_str_eq(spec.layers[spec.layer_count - 1].name, "head");
    fake_fini(&one);
}
END_TEST

/* The net is resized for another size of images, not normalised otherwise. */
START_TEST(keeps_the_preprocessing_at_other_sizes)
{
    struct fake_net published = {0}, custom = {0};
    struct vgg_spec spec;
    fake_vgg(&published, D, false, 10);
    ck_assert_int_eq(resolve_at(&published, 320, 480, &spec), VGG_OK);
    ck_assert_str_eq(spec.source, "names and shapes (built-in vgg16)");
    ck_assert_int_eq(spec.input.h, 224);
    ck_assert_str_eq(spec.preprocess.name, "imagenet");
    const struct vgg_evidence *size = vgg_evidence_find(&spec.evidence, "input size");
    ck_assert_int_eq(size->source, VGG_EVIDENCE_USER);
    ck_assert_str_eq(size->value, "320x480");
    ck_assert_ptr_null(size->alternatives);
    fake_fini(&published);

    fake_vgg(&custom, "8 M 8 M 8 8 M", true, 10);
    ck_assert_int_eq(resolve_at(&custom, 32, 32, &spec), VGG_OK);
    ck_assert_int_eq(spec.input.h, 56);
    ck_assert_str_eq(spec.preprocess.name, "custom");
    ck_assert_str_eq(vgg_evidence_find(&spec.evidence, "input size")->value, "32x32");
    fake_fini(&custom);
}
END_TEST

/* A size that only one of the candidates turns into the classifier's features decides among them. */
START_TEST(takes_the_net_that_a_size_fits)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    fake_vgg(&net, "8 M 8 M 8 8", true, 10);
    ck_assert_int_eq(resolve_at(&net, 56, 56, &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 b r M 8 b r M 8 b r 8 b r M avg7 | 4096 r D 4096 r D 10");
    ck_assert_int_eq(resolve_at(&net, 50, 50, &spec), VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8p0 b r M 8p0 b r M 8p0 b r 8p0 b r avg7 | 4096 r D 4096 r "
                                       "D 10");
    fake_fini(&net);
}
END_TEST

START_TEST(says_whose_classifier_it_may_be)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    fake_features(&net, "64 64 64 M 128 128 128 M 256 256 256 M", true);
    fake_linear(&net, 0, 512 * 7 * 7, 4096);
    fake_linear(&net, 3, 4096, 10);
    ck_assert_int_eq(resolve(&net, "x.pth", &spec), VGG_ERR_MISMATCH);
    ck_assert_str_eq(net.err.message,
                     "x.pth: classifier.0.weight: expected as in_features the 256 channels of "
                     "features.26.weight times a square number of pixels (12544 for 7x7), found "
                     "25088, which is 512 x 7x7: made for features that end in 512 channels");
    fake_fini(&net);
}
END_TEST

START_TEST(does_not_take_another_net_for_the_closest)
{
    struct fake_net net = {0};
    struct vgg_spec spec;
    fake_vgg(&net, "64 M M 128 M 256 256 M 512 512 M 512 512 M", false, 1000); /* A-LRN */
    ck_assert_int_eq(resolve(&net, "x.pth", &spec), VGG_ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(net.err.message, "features.0 and features.4, got 3 modules, whose "
                                                  "kinds the file does not tell"));
    ck_assert_int_eq(net.err.hint, VGG_HINT_LAYERS);
    fake_fini(&net);
}
END_TEST

UNIT_MAIN("infer", recognises_every_variant, finds_the_pools,
          takes_the_average_pool_from_the_classifier, takes_other_classifiers,
          knows_one_by_one_convolutions, takes_other_kernels, says_what_is_no_vgg,
          refuses_what_names_cannot_tell, falls_back_to_the_closest_variant, says_what_it_assumes,
          takes_a_cfg, refuses_a_cfg_that_does_not_fit, compares_the_last_pool_of_a_cfg,
          knows_other_names, keeps_the_preprocessing_at_other_sizes, takes_the_net_that_a_size_fits,
          says_whose_classifier_it_may_be, does_not_take_another_net_for_the_closest,
          applies_a_net_without_last_pool_by_its_name_only)
