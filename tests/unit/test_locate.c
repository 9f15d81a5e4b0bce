/* SPDX-License-Identifier: MIT */
/* checkpoint/locate: walk, search, locate: modules shared, in cycles and inside other objects; several nets. */
#include "unit.h"
#include "writer.h"

#include "checkpoint/locate/state_dict.h"

static struct vgg_arena arena;
static struct vgg_error err;
static struct vgg_state_dict dict;

static const struct sample conv = {.name = "weight", .key = "0", .available = 1};
static const struct sample linear = {.name = "weight", .key = "1", .available = 1};

static vgg_status read_pickle(struct bytes bytes, const char *key)
{
    static uint8_t *copy;
    struct vgg_limits limits;
    struct vgg_pickle pickle = {0};
    struct vgg_storages storages;
    vgg_arena_destroy(&arena);
    free(copy);
    copy = copy_exactly(bytes.data, bytes.size);
    vgg_limits_init(&limits);
    err = (struct vgg_error){0};
    dict = (struct vgg_state_dict){0};
    const struct vgg_load load = {.path = "a.pth", .limits = &limits, .arena = &arena, .err = &err};
    const struct vgg_pickle_source source = {.data = copy, .size = bytes.size};
    vgg_status status = vgg_pickle_read(&load, &source, &pickle);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    status = vgg_storages_collect(&load, &pickle, &storages);
    ck_assert_msg(status == VGG_OK, "%s", err.message);
    free(bytes.data);
    return vgg_state_dict_read(&load, &pickle, key, &dict);
}

static void accept(struct bytes bytes, const char *key, const char *found_key, const char *prefix)
{
    ck_assert_msg(read_pickle(bytes, key) == VGG_OK, "%s", err.message);
    ck_assert_str_eq(dict.location.key, found_key);
    ck_assert_str_eq(dict.location.prefix, prefix);
}

static void refuse(struct bytes bytes, const char *key, vgg_status expected, const char *message)
{
    ck_assert_int_eq(read_pickle(bytes, key), expected);
    ck_assert_str_eq(err.message, message);
}

/* The Python module of the classes below. */
static const char *python_module = "mine";

/* An object of a class that nothing is known of, up to its attributes. */
static void begin_object(struct bytes *out, const char *class)
{
    put_global(out, python_module, class);
    PUT(out, ")\x81}(");
}

#define END_OBJECT "ub"

static void begin_modules(struct bytes *out)
{
    put_text(out, "_modules");
    PUT(out, "}(");
}

/* A layer with one parameter. */
static void put_layer(struct bytes *out, const struct sample *weight)
{
    begin_object(out, "Layer");
    put_text(out, "_parameters");
    PUT(out, "}(");
    put_text(out, "weight");
    put_tensor(out, weight);
    PUT(out, "u" END_OBJECT);
}

/* Net(features=Part(0=conv), classifier=Part(0=linear)) */
static void put_net(struct bytes *out)
{
    static const char *const parts[] = {"features", "classifier"};
    begin_object(out, "Net");
    begin_modules(out);
    for (size_t i = 0; i < 2; i++) {
        put_text(out, parts[i]);
        begin_object(out, "Part");
        begin_modules(out);
        put_text(out, "0");
        put_layer(out, i == 0 ? &conv : &linear);
        PUT(out, "u" END_OBJECT);
    }
    PUT(out, "u" END_OBJECT);
}

static void put_net_dict(struct bytes *out, const char *prefix, const char *key)
{
    static const char *const names[] = {"features.0.weight", "classifier.0.weight"};
    for (size_t i = 0; i < 2; i++) {
        char name[100];
        const struct sample sample = {.key = key, .available = 1};
        snprintf(name, sizeof name, "%s%s", prefix, names[i]);
        put_text(out, name);
        put_tensor(out, &sample);
    }
}

static struct bytes begin_pickle(void)
{
    struct bytes out = {0};
    PUT(&out, "\x80\x02");
    return out;
}

static struct bytes end_pickle(struct bytes out)
{
    PUT(&out, ".");
    return out;
}

START_TEST(walks_a_module_in_its_order)
{
    struct bytes out = begin_pickle();
    put_net(&out);
    accept(end_pickle(out), NULL, "", "");
    ck_assert_uint_eq(dict.count, 2);
    ck_assert_str_eq(dict.tensors[0].name, "features.0.weight");
    ck_assert_str_eq(dict.tensors[1].name, "classifier.0.weight");
    ck_assert_uint_eq(dict.location.modules.count, 5);
    ck_assert_str_eq(dict.location.modules.items[0].name, "");
    ck_assert_str_eq(dict.location.modules.items[2].name, "features.0");
}
END_TEST

START_TEST(finds_a_module_inside_another_object)
{
    struct bytes out = begin_pickle();
    begin_object(&out, "Trainer"); /* no module itself: what it has is looked at */
    put_text(&out, "epoch");
    put_int(&out, 3);
    put_text(&out, "model");
    put_net(&out);
    PUT(&out, END_OBJECT);
    accept(end_pickle(out), NULL, "model", "");
    ck_assert_uint_eq(dict.count, 2);

    out = begin_pickle(); /* Trainer(run={"best": Net()}) */
    begin_object(&out, "Trainer");
    put_text(&out, "run");
    PUT(&out, "}");
    put_text(&out, "best");
    put_net(&out);
    PUT(&out, "s" END_OBJECT);
    accept(end_pickle(out), "run.best", "run.best", "");

    out = begin_pickle();
    begin_object(&out, "Trainer");
    put_text(&out, "epoch");
    put_int(&out, 3);
    PUT(&out, END_OBJECT);
    refuse(end_pickle(out), NULL, VGG_ERR_UNSUPPORTED,
           "a.pth: holds a whole object (mine.Trainer) without weights, expected a state dict; "
           "save model.state_dict() instead");
}
END_TEST

START_TEST(reads_shared_modules_under_both_names)
{
    struct bytes out = begin_pickle();
    begin_object(&out, "Net");
    begin_modules(&out);
    put_text(&out, "features");
    begin_object(&out, "Part");
    begin_modules(&out);
    put_text(&out, "0");
    put_layer(&out, &conv);
    PUT(&out, "q\x01"); /* memo 1 */
    put_text(&out, "1");
    PUT(&out, "h\x01");
    PUT(&out, "u" END_OBJECT "u" END_OBJECT);
    accept(end_pickle(out), NULL, "", "");
    ck_assert_uint_eq(dict.count, 2);
    ck_assert_str_eq(dict.tensors[0].name, "features.0.weight");
    ck_assert_str_eq(dict.tensors[1].name, "features.1.weight");
}
END_TEST

START_TEST(ends_cycles)
{
    struct bytes out = begin_pickle();
    put_global(&out, "mine", "Net");
    PUT(&out, ")\x81q\x01}("); /* memo 1: itself */
    begin_modules(&out);
    put_text(&out, "self");
    PUT(&out, "h\x01u" END_OBJECT);
    ck_assert_int_eq(read_pickle(end_pickle(out), NULL), VGG_ERR_FORMAT);
    ck_assert_str_eq(err.message,
                     "a.pth: modules are nested more than 64 deep, or contain themselves");
    out = begin_pickle(); /* a dict that holds itself and a net */
    PUT(&out, "}q\x01(");
    put_text(&out, "self");
    PUT(&out, "h\x01");
    put_net_dict(&out, "", "0");
    PUT(&out, "u");
    accept(end_pickle(out), NULL, "", "");
}
END_TEST

START_TEST(tells_torchscript_by_whole_components_of_the_module)
{
    static const struct {
        const char *module;
        enum vgg_source_kind kind;
    } cases[] = {
        {"__torch__", VGG_SOURCE_SCRIPT},
        {"__torch__.torchvision.models.vgg", VGG_SOURCE_SCRIPT},
        {"__torch__utils", VGG_SOURCE_MODULE},
        {"__torch_", VGG_SOURCE_MODULE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes out = begin_pickle();
        python_module = cases[i].module;
        put_net(&out);
        python_module = "mine";
        /* A TorchScript module keeps its parts among its attributes, and this one has none there. */
        const bool script = cases[i].kind == VGG_SOURCE_SCRIPT;
        ck_assert_int_eq(read_pickle(end_pickle(out), NULL), script ? VGG_ERR_UNSUPPORTED : VGG_OK);
        if (script) {
            ck_assert_ptr_nonnull(
                strstr(err.message, "a TorchScript module (Net) without weights"));
        } else {
            ck_assert_int_eq(dict.location.kind, VGG_SOURCE_MODULE);
        }
    }
}
END_TEST

/* {"state_dict": …, "ema": {…}} */
static struct bytes two_dicts(const char *second_key)
{
    struct bytes out = begin_pickle();
    PUT(&out, "}(");
    put_text(&out, "state_dict");
    PUT(&out, "}(");
    put_net_dict(&out, "module.model.", "0");
    PUT(&out, "u");
    put_text(&out, "ema");
    PUT(&out, "}(");
    put_net_dict(&out, "module.model.", second_key);
    PUT(&out, "uu");
    return end_pickle(out);
}

START_TEST(lists_several_nets)
{
    refuse(
        two_dicts("1"), NULL, VGG_ERR_MISMATCH,
        "a.pth: expected one VGG, got several different ones: state_dict.module.model (2 tensors), "
        "ema.module.model (2 tensors)");
    ck_assert_int_eq(err.hint, VGG_HINT_KEY);
    accept(two_dicts("1"), "ema", "ema", "module.model.");
    accept(two_dicts("1"), "ema.module.model", "ema", "module.model.");
    refuse(two_dicts("1"), "best", VGG_ERR_MISMATCH,
           "a.pth: key best: expected the path of tensors, one of state_dict.module.model "
           "(2 tensors), ema.module.model (2 tensors)");
    ck_assert_int_eq(err.hint, VGG_HINT_KEY);
    accept(two_dicts("0"), NULL, "state_dict", "module.model."); /* views of the same */
}
END_TEST

/* The same names with and without what DataParallel puts before them. */
static struct bytes one_dict(const char *second_key)
{
    struct bytes out = begin_pickle();
    PUT(&out, "}(");
    put_net_dict(&out, "module.", "0");
    put_net_dict(&out, "", second_key);
    PUT(&out, "u");
    return end_pickle(out);
}

static void accept_from_one_dict(const char *second_key, const char *key, const char *prefix,
                                 const char *storage)
{
    accept(one_dict(second_key), key, "", prefix);
    ck_assert_uint_eq(dict.count, 2);
    ck_assert_uint_eq(dict.location.skipped, 2);
    ck_assert_str_eq(dict.tensors[0].name, "features.0.weight");
    ck_assert_str_eq(dict.tensors[1].name, "classifier.0.weight");
    ck_assert(vgg_span_equals(dict.placements[0].storage->key, storage));
}

START_TEST(tells_nets_in_one_dict_apart)
{
    refuse(
        one_dict("1"), NULL, VGG_ERR_MISMATCH,
        "a.pth: expected one VGG, got several different ones: module (2 tensors), . (2 tensors)");
    ck_assert_int_eq(err.hint, VGG_HINT_KEY);
    accept_from_one_dict("1", "module", "module.", "0");
    accept_from_one_dict("1", ".", "", "1");
    accept_from_one_dict("0", NULL, "module.", "0"); /* the same under both names */
}
END_TEST

START_TEST(says_what_has_no_net)
{
    struct bytes out = begin_pickle();
    PUT(&out, "}(");
    put_text(&out, "state");
    PUT(&out, "}");
    put_text(&out, "param_groups");
    PUT(&out, "]u");
    refuse(end_pickle(out), NULL, VGG_ERR_FORMAT,
           "a.pth: no tensors in the checkpoint's dict (keys: 'state', 'param_groups'): an "
           "optimizer's state, expected model.state_dict()");
    out = begin_pickle();
    PUT(&out, "}");
    put_text(&out, "epoch");
    PUT(&out, "K\x03s");
    refuse(end_pickle(out), NULL, VGG_ERR_FORMAT,
           "a.pth: no tensors in the checkpoint's dict (keys: 'epoch'), expected a state dict");
}
END_TEST

UNIT_MAIN("locate", walks_a_module_in_its_order, finds_a_module_inside_another_object,
          reads_shared_modules_under_both_names, ends_cycles, lists_several_nets,
          tells_nets_in_one_dict_apart, tells_torchscript_by_whole_components_of_the_module,
          says_what_has_no_net)
