/* SPDX-License-Identifier: MIT */
/* contents/tensor_names and pickle/value: what is a VGG's tensor, what stands before its name, what can be a name. */
#include "unit.h"

#include <string.h>

#include "checkpoint/locate/tensor_names.h"

START_TEST(finds_parts)
{
    static const struct {
        const char *name;
        enum vgg_name_part part;
        size_t prefix;
    } cases[] = {
        {"features.0.weight", VGG_NAME_FEATURES, 0},
        {"features.0.bias", VGG_NAME_FEATURES, 0},
        {"features.0.weight_g", VGG_NAME_FEATURES, 0},
        {"features.0.parametrizations.weight.original0", VGG_NAME_FEATURES, 0},
        {"features.module.0.weight", VGG_NAME_FEATURES, 0},
        {"features.0._orig_mod.weight", VGG_NAME_FEATURES, 0},
        {"classifier.6.bias", VGG_NAME_CLASSIFIER, 0},
        {"classifier.weight", VGG_NAME_CLASSIFIER, 0},
        {"module.model.features.0.weight", VGG_NAME_FEATURES, 13},
        {"module.module.classifier.0.weight", VGG_NAME_CLASSIFIER, 14},
        {"features.features.0.weight", VGG_NAME_FEATURES, 9},
        {"classifier.features.0.weight", VGG_NAME_FEATURES, 11},
        {"features.0.0.weight", VGG_NAME_OTHER, 0}, /* MobileNet */
        {"features.weight", VGG_NAME_OTHER, 0},
        {"features.0", VGG_NAME_OTHER, 0},
        {"features.0.running_mean", VGG_NAME_OTHER, 0},
        {"features.x.weight", VGG_NAME_OTHER, 0},
        {"my_features.0.weight", VGG_NAME_OTHER, 0},
        {"features_0.weight", VGG_NAME_OTHER, 0},
        {"features..weight", VGG_NAME_OTHER, 0},
        {"classifier", VGG_NAME_OTHER, 0},
        {"module.", VGG_NAME_OTHER, 0},
        {".", VGG_NAME_OTHER, 0},
        {"", VGG_NAME_OTHER, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t prefix = 99;
        ck_assert_msg(vgg_name_find_part(cases[i].name, &prefix) == cases[i].part, "%s",
                      cases[i].name);
        ck_assert_msg(prefix == cases[i].prefix, "%s: %zu", cases[i].name, prefix);
    }
}
END_TEST

START_TEST(takes_wrappers_out_of_names)
{
    static const char *const cases[][2] = {
        {"features.module.0.weight", "features.0.weight"},
        {"features.0._orig_mod.weight", "features.0.weight"},
        {"classifier.module._orig_mod.0.module.bias", "classifier.0.bias"},
        {"features._fsdp_wrapped_module.0._checkpoint_wrapped_module.weight", "features.0.weight"},
        {"features.0.module", "features.0."},
        {"features.modules.0.weight", "features.modules.0.weight"},
        {"module.features.0.weight", "module.features.0.weight"}, /* of no part as it stands */
    };
    struct vgg_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *clean = vgg_name_clean(cases[i][0], &arena);
        ck_assert_str_eq(clean, cases[i][1]);
        if (strcmp(cases[i][0], cases[i][1]) == 0) {
            ck_assert_ptr_eq(clean, cases[i][0]); /* not even a copy */
        }
    }
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(finds_prefixes_that_all_names_have)
{
#define COMMON(...)                                                                                \
    vgg_names_common_prefix((const char *const[]){__VA_ARGS__},                                    \
                            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
    ck_assert_uint_eq(COMMON("module.a", "module.b"), 7);
    ck_assert_uint_eq(COMMON("module.model.a", "module.model.b"), 13);
    ck_assert_uint_eq(COMMON("model.module.a", "model.module.b"), 13);
    ck_assert_uint_eq(COMMON("module.module.a", "module.module.b"), 14);
    ck_assert_uint_eq(COMMON("module.module.a", "module.b"), 7);
    ck_assert_uint_eq(COMMON("module.a", "b"), 0);
    ck_assert_uint_eq(COMMON("modules.a", "modules.b"), 0);
    ck_assert_uint_eq(COMMON("encoder.a", "encoder.b"), 0); /* nothing known to wrap */
    ck_assert_uint_eq(COMMON("module", "module."), 0);
    ck_assert_uint_eq(vgg_names_common_prefix(NULL, 0), 0);
}
END_TEST

START_TEST(knows_good_names)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"", true},
        {"features.0.weight", true},
        {"Gewicht \xc3\xa4 \xe6\x9d\x83 \xf0\x9f\x90\x88", true},
        {"a\nb", false},
        {"a\x7f", false},
        {"a\x1b[2J", false},
        {"\xc3", false},             /* cut */
        {"\xe6\x9d", false},         /* cut */
        {"\xc0\xaf", false},         /* overlong */
        {"\xe0\x80\xaf", false},     /* overlong */
        {"\xf0\x80\x80\xaf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xff", false},
        {"\x80", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct vgg_span text = {cases[i].text, (uint32_t)strlen(cases[i].text)};
        ck_assert_msg(vgg_span_is_name(text) == cases[i].good, "case %zu", i);
    }
    static char longest[VGG_NAME_BYTES_MAX + 1];
    memset(longest, 'a', sizeof longest);
    ck_assert(vgg_span_is_name((struct vgg_span){longest, VGG_NAME_BYTES_MAX}));
    ck_assert(!vgg_span_is_name((struct vgg_span){longest, VGG_NAME_BYTES_MAX + 1}));
    ck_assert(!vgg_span_is_name((struct vgg_span){"a\0b", 3}));
}
END_TEST

UNIT_MAIN("names", finds_parts, takes_wrappers_out_of_names, finds_prefixes_that_all_names_have,
          knows_good_names)
