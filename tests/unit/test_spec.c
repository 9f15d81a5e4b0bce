/* SPDX-License-Identifier: MIT */
/* model/spec/spec: descriptions in JSON, and what is wrong with them. */
#include "unit.h"

#include <string.h>

#include "model/spec/spec.h"
#include "spec_text.h"

static struct vgg_arena arena;
static struct vgg_error err;

static vgg_status parse(const char *json, struct vgg_spec *spec)
{
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    return vgg_spec_parse(&(struct vgg_load){"n.json", &limits, &arena, &err}, json, strlen(json),
                          spec);
}

static enum vgg_evidence_source get_source(const struct vgg_spec *spec, const char *property)
{
    const struct vgg_evidence *evidence = vgg_evidence_find(&spec->evidence, property);
    ck_assert_ptr_nonnull(evidence);
    return evidence->source;
}

START_TEST(fills_in_the_defaults)
{
    struct vgg_spec spec;
    ck_assert_int_eq(parse("{\"schema\":1,\"layers\":[64,\"M\"],\"classifier\":[16,10]} \n", &spec),
                     VGG_OK);
    ck_assert_ptr_null(spec.name);
    ck_assert_str_eq(spec_text(&spec), "64 r M avg7 | 16 r D 10");
    ck_assert_str_eq(spec_names(&spec), "features.0 features.1 features.2 avgpool flatten "
                                        "classifier.0 classifier.1 classifier.2 classifier.3");
    ck_assert_int_eq(spec.layers[0].conv.in_channels, 3);
    ck_assert_int_eq(spec_find(&spec, VGG_LAYER_LINEAR, 0)->linear.in_features, 64 * 49);
    ck_assert_int_eq(spec.channels, 3);
    ck_assert_int_eq(spec.input.h, 14);
    ck_assert_int_eq(spec.input.w, 14);
    ck_assert_int_eq(get_source(&spec, "input size"), VGG_EVIDENCE_CONVENTION);
    ck_assert_int_eq((int)spec.preprocess_source, VGG_EVIDENCE_CONVENTION);
    ck_assert_int_eq(spec.preprocess.resize, 14);
    ck_assert_int_eq(spec.preprocess.resize_width, 14);
    ck_assert_int_eq(spec.preprocess.crop, 0);
    ck_assert_str_eq(spec.preprocess.name, "custom");
    ck_assert_uint_eq(spec.labels.count, 0);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(reads_every_key)
{
    struct vgg_spec spec;
    vgg_status status =
        parse("{\"schema\":1,\"name\":\"mine\",\"input\":64,\"batch_norm\":true,\"avgpool\":2,"
              "\"layers\":[8,{\"conv\":16,\"kernel\":1,\"bias\":false,\"batch_norm\":false},"
              "{\"conv\":4,\"kernel\":5,\"stride\":2,\"padding\":0},{\"max_pool\":3,\"stride\":2}],"
              "\"classifier\":[{\"linear\":9,\"index\":1,\"bias\":false},3],\"dropout\":false,"
              "\"preprocess\":{\"resize\":70,\"crop\":64,\"mean\":[0.1,0.2,0.3],\"std\":[1,2,0.5]},"
              "\"labels\":[\"a\",\"b\",\"c\"],"
              "\"checkpoint\":{\"file\":\"mine.pth\",\"sha256_prefix\":\"0123abcd\",\"bytes\":"
              "5000000000},"
              "\"accuracy\":{\"acc@1\":50.5,\"acc@5\":75}}",
              &spec);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_str_eq(spec.name, "mine");
    ck_assert_str_eq(spec_text(&spec), "8 b r 16/1- r 4/5s2p0 b r M/3s2 avg2 | D 9- r 3");
    ck_assert_str_eq(spec_names(&spec),
                     "features.0 features.1 features.2 features.3 features.4 features.5 features.6 "
                     "features.7 features.8 avgpool flatten classifier.0 classifier.1 classifier.2 "
                     "classifier.3");
    ck_assert_int_eq(spec.preprocess.resize, 70);
    ck_assert(spec.preprocess.std[2] == 0.5f);
    ck_assert_str_eq(spec.labels.names[2], "c");
    ck_assert_str_eq(spec.sha256, "0123abcd");
    ck_assert_uint_eq(spec.bytes, 5000000000u);
    ck_assert_double_eq(spec.acc5, 75);
    ck_assert_int_eq(parse("{\"schema\":1,\"layers\":[8],\"classifier\":10,\"avgpool\":1}", &spec),
                     VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 r avg1 | 10");
    ck_assert_str_eq(spec.layers[spec.layer_count - 1].name, "classifier");
    ck_assert_int_eq(parse("{\"schema\":1,\"layers\":[8],\"classifier\":[{\"linear\":6,"
                           "\"batch_norm\":true},4]}",
                           &spec),
                     VGG_OK);
    ck_assert_str_eq(spec_text(&spec), "8 r avg7 | 6 b r D 4");
    ck_assert_str_eq(spec.layers[spec.layer_count - 1].name, "classifier.4");

    status = parse("{\"schema\":1,\"layers\":[8,{\"lrn\":5},\"M\",{\"lrn\":3,\"alpha\":1e-3,"
                   "\"beta\":0.5,\"k\":2},\"D\"],\"classifier\":10,\"input\":32,"
                   "\"preprocess\":{\"mean\":0.5,\"std\":0.25}}",
                   &spec);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    ck_assert_str_eq(spec_text(&spec), "8 r lrn5(0.0001,0.75,1) M lrn3(0.001,0.5,2) D avg7 | 10");
    ck_assert(spec.preprocess.resize == 32 && spec.preprocess.crop == 32);
    ck_assert(spec.preprocess.mean[2] == 0.5f && spec.preprocess.std[0] == 0.25f);
    ck_assert_int_eq(get_source(&spec, "input size"), VGG_EVIDENCE_FILE);
    ck_assert_int_eq((int)spec.preprocess_source, VGG_EVIDENCE_FILE);
    vgg_arena_destroy(&arena);
}
END_TEST

/* A description that is right but for one part. */
#define WITH(part) "{\"schema\":1,\"layers\":[8,\"M\"],\"classifier\":[4]," part "}"
#define PREPROCESS(part) WITH("\"preprocess\":{" part ",\"mean\":0,\"std\":1}")
#define LAYERS(list) "{\"schema\":1,\"classifier\":[4],\"layers\":" list "}"
#define CLASSIFIER(list) "{\"schema\":1,\"layers\":[8],\"classifier\":" list "}"

static const struct {
    const char *json, *message;
} wrong[] = {
    {"", "this is not JSON"},
    {"{\"schema\":1,}", "this is not JSON (at byte 12)"},
    {WITH("\"avgpool\":7") " x", "this is not JSON (at byte"},
    {"[]", "description: expected an object, found a list"},
    {"{\"schema\":1,\"classifier\":[4]}", "n.json: layers: the key is missing"},
    {"{\"layers\":[8],\"classifier\":[4]}", "schema: the key is missing"},
    {"{\"schema\":0}", "schema: expected a whole number from 1 to 1000000000, found 0"},
    {WITH("\"layer\":[8]"), "layer: unknown key; the keys here are schema, name, input, layers"},
    {WITH("\"schema\":1"), "schema: the key is given twice"},
    {WITH("\"batch_norm\":1"), "batch_norm: expected true or false, found 1"},
    {WITH("\"avgpool\":0"), "avgpool: expected a whole number from 1 to 65535, found 0"},
    {WITH("\"avgpool\":2.5"), "found 2.5"},
    {WITH("\"avgpool\":1e99"), "found 1e+99"},
    {WITH("\"avgpool\":\"7\""), "avgpool: expected a whole number from 1 to 65535, found \"7\""},
    {WITH("\"avgpool\":null"), "found null"},
    {WITH("\"name\":7"), "name: expected a text, found 7"},
    {WITH("\"name\":\"a\\u001b[31m\""), "name: holds a control character"},
    {WITH("\"name\":\"a\xff\""), "name: is not UTF-8"},
    {LAYERS("8"), "layers: expected a list that is not empty, found 8"},
    {LAYERS("[]"), "layers: expected a list that is not empty, found nothing"},
    {LAYERS("[\"M\"]"), "layers: expected a convolution, found none"},
    {LAYERS("[8,\"X\"]"), "layers[1]: expected channels, \"M\", "},
    {LAYERS("[8,{\"gelu\":5}]"), "found an object"},
    {LAYERS("[8,{\"lrn\":256}]"), "layers[1].lrn: expected a whole number from 1 to 255"},
    {LAYERS("[8,{\"lrn\":5,\"beta\":-1}]"), "layers[1].beta: expected a number from 0 to 1000"},
    {LAYERS("[8,{\"lrn\":5,\"size\":5}]"), "the keys here are lrn, alpha, beta, k"},
    {LAYERS("[0]"), "layers[0]: expected a whole number from 1 to 16777216, found 0"},
    {LAYERS("[{\"conv\":8,\"dilation\":2}]"), "layers[0].dilation: unknown key"},
    {LAYERS("[{\"conv\":8,\"kernel\":0}]"), "layers[0].kernel: expected"},
    {LAYERS("[8,{\"max_pool\":\"2\"}]"), "layers[1].max_pool: expected"},
    {CLASSIFIER("[]"), "classifier: expected a list that is not empty"},
    {CLASSIFIER("[4,true]"), "classifier[1]: expected features or"},
    {CLASSIFIER("{\"conv\":1}"), "classifier.conv: unknown key; the keys here are linear, bias"},
    {CLASSIFIER("[{\"linear\":1,\"batch_norm\":2}]"), "classifier[0].batch_norm: expected true"},
    {CLASSIFIER("\"x\""), "classifier: expected features or"},
    {WITH("\"preprocess\":\"magic\""), "preprocess: "},
    {WITH("\"preprocess\":7"), "preprocess: expected a preset's name or an object, found 7"},
    {WITH("\"preprocess\":\"imagenet\""),
     "preprocess: expected a crop of 14x14, the net's input, found 224x224"},
    {WITH("\"preprocess\":{\"resize\":14,\"crop\":14,\"mean\":[0,0,0]}"),
     "preprocess.std: the key is missing"},
    {WITH("\"preprocess\":{\"resize\":14,\"crop\":14,\"mean\":[0,0],\"std\":[1,1,1]}"),
     "preprocess.mean: expected a list of three numbers"},
    {WITH("\"preprocess\":{\"resize\":14,\"crop\":14,\"mean\":[0,0,0],\"std\":[1,0,1]}"),
     "preprocess.std: expected a number from 1e-06 to 1000000, found 0"},
    {PREPROCESS("\"resize\":[14,15]"),
     "preprocess: expected a resize of 14x14, the net's input, found 14x15"},
    {PREPROCESS("\"crop\":[13,14]"), "expected a crop of 14x14, the net's input, found 13x14"},
    {PREPROCESS("\"resize\":[14,14],\"crop\":13"),
     "expected a crop of 14x14, the net's input, found 13x13"},
    {PREPROCESS("\"resize\":[14]"),
     "preprocess.resize: expected a side in pixels or [height, width], found a list"},
    {PREPROCESS("\"resize\":[0,14]"),
     "preprocess.resize: expected a whole number from 1 to 65535, found 0"},
    {PREPROCESS("\"crop\":-1"), "preprocess.crop: expected a whole number from 0 to 65535"},
    {PREPROCESS("\"interpolation\":\"box\""),
     "preprocess.interpolation: expected bilinear, bicubic, nearest or lanczos"},
    {PREPROCESS("\"interpolation\":3"), "preprocess.interpolation: expected a text, found 3"},
    {PREPROCESS("\"channels\":2"),
     "preprocess.channels: expected \"rgb\", \"bgr\", \"gray\", 1 or 3, found 2"},
    {PREPROCESS("\"unscaled\":1"), "preprocess.unscaled: expected true or false, found 1"},
    {WITH("\"labels\":\"fashion\""),
     "labels: expected imagenet, cifar10, cifar100, mnist, fashion-mnist, or a list, found "
     "\"fashion\""},
    {WITH("\"labels\":\"imagenet\""), "labels: expected 4, one for each output of the classifier"},
    {WITH("\"labels\":[\"a\",\"b\",\"c\",4]"), "labels[3]: expected a text, found 4"},
    {WITH("\"checkpoint\":{}"), "checkpoint.file: the key is missing"},
    {WITH("\"checkpoint\":{\"file\":\"a\",\"sha256\":\"12\"}"),
     "checkpoint.sha256: expected 64 hexadecimal digits"},
    {WITH("\"checkpoint\":{\"file\":\"a\",\"sha256_prefix\":\"1234567g\"}"),
     "checkpoint.sha256_prefix: expected 8 to 64 hexadecimal digits"},
    {WITH("\"accuracy\":{\"acc@1\":101}"), "accuracy.acc@1: expected a number from 0 to 100"},
};

static struct vgg_preprocess read_preprocess(const char *json)
{
    struct vgg_spec spec;
    ck_assert_msg(parse(json, &spec) == VGG_OK, "%s: %s", json, err.message);
    return spec.preprocess;
}

START_TEST(reads_every_way_of_preprocessing)
{
    struct vgg_preprocess p = read_preprocess(PREPROCESS("\"resize\":[14,14]"));
    ck_assert(p.resize == 14 && p.resize_width == 14 && p.crop == 0);
    ck_assert(p.mean[1] == 0.0f && p.std[1] == 1.0f);
    ck_assert_int_eq(p.interpolation, VGG_INTERPOLATION_BILINEAR);
    p = read_preprocess(PREPROCESS("\"resize\":[20,16],\"crop\":[14,14]"));
    ck_assert(p.resize == 20 && p.resize_width == 16 && p.crop == 14 && p.crop_width == 14);
    p = read_preprocess(PREPROCESS("\"crop\":0,\"interpolation\":\"lanczos\""));
    ck_assert(p.resize == 14 && p.resize_width == 0 && p.crop == 0);
    ck_assert_int_eq(p.interpolation, VGG_INTERPOLATION_LANCZOS);
    p = read_preprocess(PREPROCESS("\"channels\":\"bgr\",\"unscaled\":true"));
    ck_assert(p.bgr == 1 && p.gray == 0 && p.unscaled == 1);
    p = read_preprocess(PREPROCESS("\"channels\":\"gray\",\"unscaled\":false"));
    ck_assert(p.bgr == 0 && p.gray == 1 && p.unscaled == 0);
    ck_assert_int_eq(read_preprocess(PREPROCESS("\"channels\":1")).gray, 1);
    p = read_preprocess(PREPROCESS("\"channels\":3"));
    ck_assert(p.bgr == 0 && p.gray == 0);
    ck_assert_int_eq(read_preprocess(PREPROCESS("\"channels\":\"rgb\"")).gray, 0);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct vgg_spec spec;
        ck_assert_msg(parse(wrong[i].json, &spec) == VGG_ERR_FORMAT, "%s", wrong[i].json);
        ck_assert_msg(strstr(err.message, wrong[i].message) != NULL, "%s\n%s", wrong[i].message,
                      err.message);
        ck_assert_int_eq(strncmp(err.message, "n.json: ", 8), 0);
    }
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(refuses_a_later_schema)
{
    struct vgg_spec spec;
    ck_assert_int_eq(parse("{\"schema\":3,\"new\":true}", &spec), VGG_ERR_UNSUPPORTED);
    ck_assert_str_eq(err.message, "n.json: schema: expected 2, found 3");
}
END_TEST

START_TEST(keeps_to_the_limits)
{
    static char deep[200001];
    struct vgg_spec spec;
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    memset(deep, '[', sizeof deep - 1);
    ck_assert_int_eq(vgg_spec_parse(&(struct vgg_load){"n.json", &limits, &arena, &err}, deep,
                                    sizeof deep - 1, &spec),
                     VGG_ERR_LIMIT);
    limits.json_bytes = 100;
    ck_assert_int_eq(
        vgg_spec_parse(&(struct vgg_load){"n.json", &limits, &arena, &err}, deep, 101, &spec),
        VGG_ERR_LIMIT);
    vgg_limits_init(&limits);
    limits.layers = 2;
    const char *json = LAYERS("[1,2,3]");
    ck_assert_int_eq(vgg_spec_parse(&(struct vgg_load){"n.json", &limits, &arena, &err}, json,
                                    strlen(json), &spec),
                     VGG_ERR_LIMIT);
    vgg_arena_destroy(&arena);
}
END_TEST

START_TEST(survives_every_truncation)
{
    static const char json[] =
        "{\"schema\":1,\"layers\":[8,{\"conv\":8,\"bias\":false},\"M\"],\"classifier\":[4],"
        "\"labels\":[\"a\",\"b\\u00e9\",\"c\",\"d\"]}";
    struct vgg_limits limits;
    vgg_limits_init(&limits);
    for (size_t size = 0; size < sizeof json - 1; size++) {
        struct vgg_spec spec;
        char *exact = malloc(size + 1); /* no byte after it, for the sanitizer to see */
        memcpy(exact, json, size);
        exact = realloc(exact, size > 0 ? size : 1);
        ck_assert_int_eq(
            vgg_spec_parse(&(struct vgg_load){"n.json", &limits, &arena, &err}, exact, size, &spec),
            VGG_ERR_FORMAT);
        free(exact);
    }
    vgg_arena_destroy(&arena);
}
END_TEST

UNIT_MAIN("spec", fills_in_the_defaults, reads_every_key, reads_every_way_of_preprocessing,
          says_what_is_wrong, refuses_a_later_schema, keeps_to_the_limits,
          survives_every_truncation)
