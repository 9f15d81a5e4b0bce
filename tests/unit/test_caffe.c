/* SPDX-License-Identifier: MIT */
/* model/infer/caffe: weights that were made for Caffe's preprocessing. */
#include "fake_net.h"

#include "model/infer/resolve.h"

#define PAPER "64 8 M 8 8 M 8 8 8 M 8 8 8 M 8 8 8 M"

/* Six of the output channels of Caffe's VGG-16, in the order B, G, R. */
static const struct {
    int channel;
    float corner[3];
} known[] = {
    {0, {0.42947057f, 0.55037946f, 0.4800154f}},
    {1, {0.11727387f, 0.02087744f, -0.17269668f}},
    {2, {0.03401296f, 0.09883115f, 0.03755771f}},
    {61, {-0.13224158f, -0.08482055f, -0.12713556f}},
    {62, {-0.05334752f, -0.05113892f, -0.05029916f}},
    {63, {0.00757738f, 0.03749434f, 0.03489657f}},
};

static float weights[64][3][9];

/* Numbers between -0.19 and 0.19, as PyTorch draws them for a new net. */
static void draw_weights(void)
{
    uint32_t state = 1;
    for (int i = 0; i < 64 * 3 * 9; i++) {
        state = state * 1664525u + 1013904223u;
        (&weights[0][0][0])[i] = 0.19f * ((float)(state >> 8) / 8388608.0f - 1);
    }
}

static void plant(bool rgb, int corner, float scale, float shift)
{
    draw_weights();
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        for (int c = 0; c < 3; c++) {
            weights[known[i].channel][rgb ? 2 - c : c][corner] =
                scale * (known[i].corner[c] + shift);
        }
    }
}

/* Resolves a net of this file with a classifier of its own. */
static vgg_status resolve(struct fake_net *net, const char *config, const char *path, int classes,
                          struct vgg_spec *spec)
{
    static const struct vgg_request request;
    const int channels = fake_features(net, config, false);
    struct vgg_tensor *first = fake_find(net, "features.0.weight");
    const int64_t strides[] = {27, 9, 3, 1};
    fake_linear(net, 0, channels * 49, classes);
    if (first->shape[0] == 64) {
        first->data = weights;
        memcpy(first->stride, strides, sizeof strides);
    }
    return vgg_spec_resolve(FAKE_LOAD(net, path), fake_list(net), &request, spec);
}

START_TEST(knows_the_weights)
{
    static const struct {
        bool rgb;
        int corner;
        float scale, shift;
        const char *preset;
        int bgr, unscaled;
        float red;
    } cases[] = {
        {false, 0, 1, 0, "caffe", 1, 1, 123.68f},
        {false, 8, 1, 0, "caffe", 1, 1, 123.68f},
        {true, 0, 1, 0, "custom", 0, 1, 123.68f},
        {false, 0, 255, 0, "custom", 1, 0, 123.68f / 255},
        {true, 8, 255, 0, "custom", 0, 0, 123.68f / 255},
        {false, 0, 1, 0.019f, "caffe", 1, 1, 123.68f},
        {false, 0, 1, -0.019f, "caffe", 1, 1, 123.68f},
        /* Others: moved too far, another place, half as large, 57 times as large as for ImageNet's mean and std. */
        {false, 0, 1, 0.021f, "imagenet", 0, 0, 0.485f},
        {false, 4, 1, 0, "imagenet", 0, 0, 0.485f},
        {false, 0, 0.5f, 0, "imagenet", 0, 0, 0.485f},
        {true, 0, 57, 0, "imagenet", 0, 0, 0.485f},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        plant(cases[i].rgb, cases[i].corner, cases[i].scale, cases[i].shift);
        ck_assert_int_eq(resolve(&net, PAPER, "x.pth", 5, &spec), VGG_OK);
        const struct vgg_preprocess *p = &spec.preprocess;
        ck_assert_msg(strcmp(p->name, cases[i].preset) == 0 && p->bgr == cases[i].bgr &&
                          p->unscaled == cases[i].unscaled,
                      "%zu: %s, bgr %d, unscaled %d", i, p->name, p->bgr, p->unscaled);
        ck_assert_double_eq_tol((double)p->mean[0], (double)cases[i].red, 1e-4);
        ck_assert_int_eq(p->crop, 224);
        ck_assert((spec.preprocess_guess.why != NULL) == (p->std[0] == 1));
        ck_assert_int_eq(spec.preprocess_source, VGG_EVIDENCE_CONVENTION);
        fake_fini(&net);
    }
}
END_TEST

/* torchvision's own net, whose first weight is -0.55, and one that was not trained. */
START_TEST(leaves_others_alone)
{
    for (int trained = 0; trained < 2; trained++) {
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        draw_weights();
        weights[0][0][0] = trained ? -0.5537f : weights[0][0][0];
        ck_assert_int_eq(resolve(&net, D, "vgg16-397923af.pth", 1000, &spec), VGG_OK);
        ck_assert_str_eq(spec.preprocess.name, "imagenet");
        ck_assert_ptr_null(spec.preprocess_guess.why);
        fake_fini(&net);
    }
}
END_TEST

START_TEST(knows_names_and_classes)
{
    static const struct {
        const char *path, *config;
        int classes;
        const char *preset;
    } cases[] = {
        {"a/vgg16_caffe.pth", PAPER, 20, "caffe"},
        {"VGG16-Caffe-voc.pth", PAPER, 20, "caffe"},
        {"vgg19-d01eb7cb.pth", PAPER, 1000, "caffe"},
        {"vgg16-00b39a1b-fixed.pth", PAPER, 7, "caffe"},
        {"caffe/vgg16.pth", PAPER, 20, "imagenet"},
        {"vgg_face.pth", PAPER, 7, "vgg-face"},
        {"VGG_FACE.pth", PAPER, 2622, "vgg-face"},
        {"faces.pth", PAPER, 2622, "vgg-face"},
        {"vggface2.pth", PAPER, 7, "imagenet"},
        {"vgg_face_dag.pth", PAPER, 7, "custom"}, /* R, G, B */
        {"faces.pth", PAPER, 2621, "imagenet"},
        /* No net of the paper. */
        {"caffe.pth", "8 M 8 M 8 M 8 M 8 M", 20, "imagenet"},
        {"faces.pth", "8 M 8 M 8 M 8 M 8 M", 2622, "imagenet"},
    };
    draw_weights();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        ck_assert_int_eq(resolve(&net, cases[i].config, cases[i].path, cases[i].classes, &spec),
                         VGG_OK);
        ck_assert_msg(strcmp(spec.preprocess.name, cases[i].preset) == 0, "%s, %d classes: %s",
                      cases[i].path, cases[i].classes, spec.preprocess.name);
        ck_assert((spec.preprocess_guess.why != NULL) == (spec.preprocess.unscaled != 0));
        fake_fini(&net);
    }
}
END_TEST

/* A published net under its own names is not published with these weights: its figures are others'. */
START_TEST(takes_no_figures_of_the_published_net)
{
    struct fake_net net = {0};
    struct vgg_spec spec = {0};
    static const struct vgg_request request;
    const int64_t strides[] = {27, 9, 3, 1};
    plant(false, 0, 1, 0);
    fake_vgg(&net, D, false, 1000);
    struct vgg_tensor *first = fake_find(&net, "features.0.weight");
    first->data = weights;
    memcpy(first->stride, strides, sizeof strides);
    ck_assert_int_eq(vgg_spec_resolve(FAKE_LOAD(&net, "x.pth"), fake_list(&net), &request, &spec),
                     VGG_OK);
    ck_assert_str_eq(spec.name, "vgg16");
    ck_assert_str_eq(spec.preprocess.name, "caffe");
    ck_assert_int_eq(spec.preprocess_source, VGG_EVIDENCE_CONVENTION);
    ck_assert(spec.acc1 == 0 && spec.file == NULL && spec.sha256 == NULL);
    fake_fini(&net);
}
END_TEST

/* A classifier of Dropout and Linear in turn is that of Caffe's net only with ImageNet's classes. */
START_TEST(assumes_the_preprocessing_of_fine_tuned_heads)
{
    struct fake_net net = {0};
    struct vgg_spec spec = {0};
    draw_weights();
    fake_features(&net, D, false);
    fake_linear(&net, 1, 25088, 4096);
    fake_linear(&net, 4, 4096, 4096);
    fake_linear(&net, 6, 4096, 20);
    ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
    ck_assert_str_eq(spec.preprocess.name, "imagenet");
    ck_assert_int_eq(spec.preprocess_source, VGG_EVIDENCE_CONVENTION);
    fake_fini(&net);
}
END_TEST

UNIT_MAIN("caffe", knows_the_weights, leaves_others_alone, knows_names_and_classes,
          takes_no_figures_of_the_published_net, assumes_the_preprocessing_of_fine_tuned_heads)
