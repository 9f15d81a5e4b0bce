/* SPDX-License-Identifier: MIT */
/* model/infer/outline, emit and notes: what numbers in names leave open, and how it is named. */
#include "fake_net.h"

#include "model/infer/outline.h"
#include "spec_text.h"

/* The value of an assumption; NULL: the property is not assumed. */
static const char *find_assumed(const struct vgg_spec *spec, const char *property)
{
    const struct vgg_evidence *evidence = vgg_evidence_find(&spec->evidence, property);
    return evidence != NULL && evidence->source == VGG_EVIDENCE_CONVENTION ? evidence->value : NULL;
}

static void check_assumed(const struct vgg_spec *spec, const char *property, const char *value)
{
    const char *found = find_assumed(spec, property);
    ck_assert_msg((found == NULL) == (value == NULL) &&
                      (found == NULL || strcmp(found, value) == 0),
                  "%s: expected %s, found %s", property, value != NULL ? value : "none",
                  found != NULL ? found : "none");
}

static const char idle[] = "modules before linear layers";

/* Numbers before the first linear layer leave place for Flatten and Dropout, and for others. */
START_TEST(names_modules_before_linear_layers)
{
    static const struct {
        int number;
        const char *assumed, *layers;
    } cases[] = {
        {0, NULL, "8 r M 8 r M avg8 | 10"},
        {1, "compute nothing (1 of them)", "8 r M 8 r M avg8 | D 10"},
        {3, "compute nothing (3 of them)", "8 r M 8 r M avg8 | D D D 10"},
        {4, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        const int channels = fake_features(&net, "8 M 8 M", false);
        fake_linear(&net, cases[i].number, channels * 64, 10);
        const vgg_status status = fake_infer(&net, NULL, &spec);
        ck_assert_int_eq(status, cases[i].layers != NULL ? VGG_OK : VGG_ERR_UNSUPPORTED);
        if (status == VGG_OK) {
            ck_assert_str_eq(spec_text(&spec), cases[i].layers);
            check_assumed(&spec, idle, cases[i].assumed);
        }
        fake_fini(&net);
    }
}
END_TEST

/* The same in the Sequential of a whole net, of which one module is Flatten. */
START_TEST(names_modules_of_a_sequential)
{
    for (int number = 4; number <= 9; number++) {
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        vgg_limits_init(&net.limits);
        fake_add(&net, 8, 3, 3, 3, "0.weight");
        fake_add(&net, 8, 0, 0, 0, "0.bias");
        fake_add(&net, 10, 8 * 256, 0, 0, "%d.weight", number);
        fake_add(&net, 10, 0, 0, 0, "%d.bias", number);
        const vgg_status status = fake_infer(&net, NULL, &spec);
        char value[80];
        snprintf(value, sizeof value, "compute nothing but for activation and pool (%d of them)",
                 number - 4);
        ck_assert_int_eq(status, number - 4 <= 3 ? VGG_OK : VGG_ERR_UNSUPPORTED);
        if (status == VGG_OK) {
            check_assumed(&spec, idle, NULL);
            check_assumed(&spec, "modules after the last convolution", number > 4 ? value : NULL);
            ck_assert_str_eq(vgg_evidence_find(&spec.evidence, "padding")->why,
                             "filled with zeros");
            check_assumed(&spec, "places of pools", "where the numbers leave a place");
        }
        fake_fini(&net);
    }
}
END_TEST

/* The convolutions of a published net show nothing of another classifier than its own. */
START_TEST(assumes_the_classifier_of_published_features)
{
    struct fake_net own = {0}, deep = {0}, norm = {0};
    struct vgg_spec spec = {0};
    fake_vgg(&own, D, false, 10);
    ck_assert_int_eq(fake_infer(&own, NULL, &spec), VGG_OK);
    check_assumed(&spec, "activation", NULL);
    check_assumed(&spec, "scores", NULL);
    fake_fini(&own);

    fake_features(&deep, D, false);
    fake_linear(&deep, 1, 512 * 49, 64);
    fake_linear(&deep, 3, 64, 5);
    ck_assert_int_eq(fake_infer(&deep, NULL, &spec), VGG_OK);
    check_assumed(&spec, "stride", NULL);
    check_assumed(&spec, "activation", "ReLU");
    check_assumed(&spec, "scores", "softmax");
    check_assumed(&spec, idle, "compute nothing (1 of them)");
    fake_fini(&deep);

    fake_features(&norm, D, true);
    fake_linear(&norm, 0, 512 * 49, 64);
    for (int i = 0; i < 4; i++) {
        static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
        fake_add(&norm, 64, 0, 0, 0, "classifier.1.%s", leaves[i]);
    }
    fake_linear(&norm, 3, 64, 5);
    ck_assert_int_eq(fake_infer(&norm, NULL, &spec), VGG_OK);
    check_assumed(&spec, "eps", "1e-05");
    check_assumed(&spec, "BatchNorm", NULL);
    fake_fini(&norm);
}
END_TEST

/* PReLU and BatchNorm are run in the order of their numbers. */
START_TEST(runs_prelu_where_its_number_is)
{
    for (int first = 0; first < 2; first++) {
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        vgg_limits_init(&net.limits);
        fake_add(&net, 8, 3, 3, 3, "features.0.weight");
        fake_add(&net, 8, 0, 0, 0, "features.%d.weight", first ? 1 : 2);
        for (int i = 0; i < 4; i++) {
            static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
            fake_add(&net, 8, 0, 0, 0, "features.%d.%s", first ? 2 : 1, leaves[i]);
        }
        fake_linear(&net, 0, 8 * 256, 10);
        ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
        ck_assert_str_eq(spec_text(&spec),
                         first ? "8- PReLU(8) b M avg16 | 10" : "8- b PReLU(8) M avg16 | 10");
        fake_fini(&net);
    }
}
END_TEST

/* A module between a convolution and its BatchNorm may be an activation, a pool or Dropout. */
START_TEST(names_the_module_before_batch_norm)
{
    for (int number = 1; number <= 2; number++) {
        static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
        struct fake_net net = {0};
        struct vgg_spec spec = {0};
        vgg_limits_init(&net.limits);
        fake_add(&net, 8, 3, 3, 3, "features.0.weight");
        for (int i = 0; i < 4; i++) {
            fake_add(&net, 8, 0, 0, 0, "features.%d.%s", number, leaves[i]);
        }
        fake_linear(&net, 0, 8 * 256, 10);
        ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
        check_assumed(&spec, "BatchNorm", number == 2 ? "after the activation" : NULL);
        fake_fini(&net);
    }
}
END_TEST

/* The places of BatchNorm after convolutions and after linear layers are assumptions of their own. */
START_TEST(names_each_place_of_batch_norm)
{
    static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
    struct fake_net net = {0};
    struct vgg_spec spec = {0};
    vgg_limits_init(&net.limits);
    fake_add(&net, 8, 3, 3, 3, "features.0.weight");
    fake_add(&net, 10, 8 * 256, 0, 0, "fc1.weight");
    fake_add(&net, 5, 10, 0, 0, "fc2.weight");
    for (int i = 0; i < 4; i++) {
        fake_add(&net, 8, 0, 0, 0, "features.2.%s", leaves[i]);
        fake_add(&net, 10, 0, 0, 0, "bn1.%s", leaves[i]);
    }
    ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
    check_assumed(&spec, "BatchNorm", "after the activation");
    check_assumed(&spec, "BatchNorm of linear layers", "before the activation");
    fake_fini(&net);
}
END_TEST

/* A kernel of one row is padded at its sides, and is no 1x1 convolution. */
START_TEST(names_the_padding_of_flat_kernels)
{
    struct fake_net net = {0};
    struct vgg_spec spec = {0};
    vgg_limits_init(&net.limits);
    fake_add(&net, 8, 3, 1, 3, "features.0.weight");
    fake_linear(&net, 0, 8 * 256, 10);
    ck_assert_int_eq(fake_infer(&net, NULL, &spec), VGG_OK);
    check_assumed(&spec, "padding", "0x1");
    check_assumed(&spec, "padding of 1x1 convolutions", NULL);
    fake_fini(&net);
}
END_TEST

UNIT_MAIN("outline", names_modules_before_linear_layers, names_modules_of_a_sequential,
          assumes_the_classifier_of_published_features, runs_prelu_where_its_number_is,
          names_the_module_before_batch_norm, names_each_place_of_batch_norm,
          names_the_padding_of_flat_kernels)
